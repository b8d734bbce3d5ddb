"""Alembic on the development database, for example `python -m dev.alembic current`."""

import signal
import sys

from alembic.config import main
from alembic.util import CommandError

from dev import DevelopmentError
from dev.settings import development_database

if __name__ == "__main__":
    # Exit by an exception, so that the embedded server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with development_database():
            # Without `--raiseerr`, Alembic would print the error a second time.
            main(["--raiseerr", *sys.argv[1:]], prog="python -m dev.alembic")
    except (CommandError, DevelopmentError) as error:
        sys.exit(str(error))
