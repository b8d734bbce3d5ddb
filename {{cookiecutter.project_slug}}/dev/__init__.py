"""Development tools, which are not part of the Docker image.

`python -m dev.serve` is the command of `make run`, `python -m dev.alembic` that of `make migrate`,
and `python -m dev.resource` that of `make resource`.
"""

# Signals that `dev.serve` has received. An embedded server checks it to interrupt initdb.
received_signals: list[int] = []
USE_ANOTHER_SERVER = "set DATABASE_URL (for tests, TEST_DATABASE_URL) to a PostgreSQL 18 server"


class DevelopmentError(Exception):
    """An error that the developer can fix. Its message has no secrets and needs no traceback."""
