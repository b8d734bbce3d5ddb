"""Alembic on the development database, for example `python -m dev.alembic current`."""

import signal
import sys
from argparse import ArgumentParser

from alembic.config import main
from alembic.util import CommandError

from dev import DevelopmentError
from dev.revisions import next_revision_id
from dev.settings import development_database


def with_revision_id(arguments: list[str]) -> list[str]:
    """Add an ID to the arguments of a command that writes a revision, unless they have one."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("-m", "--message", default="")
    parser.add_argument("--rev-id")
    options, _ = parser.parse_known_args(arguments)
    if options.rev_id or not {"merge", "revision"} & {*arguments[:1]}:
        return arguments
    return [*arguments, f"--rev-id={next_revision_id(options.message)}"]


if __name__ == "__main__":
    # Exit by an exception, so that the embedded server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with development_database():
            # Without `--raiseerr`, Alembic would print the error a second time.
            arguments = ["--raiseerr", *with_revision_id(sys.argv[1:])]
            main(arguments, prog="python -m dev.alembic")
    except (CommandError, DevelopmentError) as error:
        sys.exit(str(error))
