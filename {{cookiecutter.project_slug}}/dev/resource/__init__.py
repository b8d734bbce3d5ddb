"""Generates a resource from a list of its fields: the command of `make resource`.

The templates in `templates/` contain the code of a resource. Existing files are never edited, since
routes and models are discovered.
"""
