"""How rows are found and changed: a reader and a writer for each resource."""
