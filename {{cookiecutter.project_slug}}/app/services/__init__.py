"""Business rules that involve several repositories, one module per resource."""
