"""Commands for operators: `python -m app.cli --help`.

In development, `python -m dev.cli` runs them on the database of `make run`.

Exit status: 0 on success, 1 on failure with the reason on standard error, 2 for wrong usage.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace

from pydantic import ValidationError

from app.commands import RunCommand, add_all_commands
from app.db import Database
from app.errors import AppError
from app.settings import SettingsError, load_settings


def parse_arguments(arguments: list[str] | None = None) -> Namespace:
    """Return the command and its arguments; exits with status 2 if they are invalid."""
    parser = ArgumentParser(prog="python -m app.cli", description="Commands for operators.")
    add_all_commands(parser.add_subparsers(dest="command", required=True))
    return parser.parse_args(arguments)


async def run(options: Namespace) -> str:
    """Run a command and return the message to print.

    Raises `AppError`, `SettingsError`, or `ValidationError` for an invalid argument.
    """
    command: RunCommand = options.run
    settings = load_settings()
    async with Database(settings.database) as database:
        return await command(options, settings, database)


def main() -> None:
    """Run the command that the process was started with."""
    options = parse_arguments()
    try:
        message = asyncio.run(run(options))
    except ValidationError as error:
        # The text of the exception would repeat the invalid values.
        problems = error.errors(include_input=False, include_url=False)
        sys.exit("\n".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in problems))
    except (AppError, SettingsError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{message}\n")


if __name__ == "__main__":
    main()
