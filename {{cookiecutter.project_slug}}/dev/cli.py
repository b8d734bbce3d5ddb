"""A command of `app.cli` on the development database: `python -m dev.cli users list`."""

import signal
import sys

from app.cli import main
from dev import DevelopmentError
from dev.settings import development_database

if __name__ == "__main__":
    # Exit by an exception, so that the embedded server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with development_database():
            main()
    except DevelopmentError as error:
        sys.exit(str(error))
