"""Development tools, which are not part of the Docker image.

`python -m dev.serve` is the command of `make run`, `python -m dev.alembic` that of `make migrate`.
"""

received_signals: list[int] = []  # Filled by the handlers of `dev.serve`.


class DevelopmentError(Exception):
    """An error that the developer can fix. Its message has no secrets and needs no traceback."""
