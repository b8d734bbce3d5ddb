"""Tools for development, none of them in the container image.

`dev.serve` is the line behind `make run`, `dev.alembic` the one behind `make migrate`;
`dev.postgres` is the embedded server that they and the tests share.
"""


class DevelopmentError(Exception):
    """Something that a person has to put right; the message says what, without a secret."""
