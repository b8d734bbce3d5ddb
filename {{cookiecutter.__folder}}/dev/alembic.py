"""Alembic's own command line on the database of development: `python -m dev.alembic current`."""

import signal
import sys

from alembic.config import main

from dev import DevelopmentError
from dev.database import development_database

if __name__ == "__main__":
    # As an exception, so that an embedded server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with development_database():
            main(prog="python -m dev.alembic")
    except DevelopmentError as error:
        sys.exit(str(error))
