"""Commands for operators: `python -m app.cli --help`.

Exit status: 0 when it is done, 1 when it was refused, for the reason on standard error, 2 when it
was called wrongly.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from getpass import getpass

from pydantic import ValidationError

from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.db import Database
from app.errors import AppError
from app.schemas.users import UserCreate
from app.settings import SettingsError, load_settings


def parse(arguments: list[str] | None = None) -> Namespace:
    """The command and its argument; exits with 2 when they are wrong."""
    parser = ArgumentParser(prog="python -m app.cli", description="Commands for operators.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser(
        "create-user", help="make a user; the password is asked for, or read from a pipe"
    )
    create.add_argument("email")
    deactivate = commands.add_parser(
        "deactivate", help="let a user in no more, and end all that is open at once"
    )
    deactivate.add_argument("email")
    commands.add_parser("purge", help="remove logins and failures that no longer count")
    return parser.parse_args(arguments)


def read_password() -> str:
    """The first line of standard input; at a terminal it is asked for, and not shown."""
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


async def run(options: Namespace) -> str:
    """Do what was asked, and return what to say of it.

    Raises `AppError` and `SettingsError`, and `ValidationError` for values that no user can have.
    """
    settings = load_settings()
    async with Database(settings.database) as database:
        accounts = AccountService(database, Authentication(settings.auth))
        if options.command == "create-user":
            new = UserCreate.model_validate({"email": options.email, "password": read_password()})
            user = await accounts.register(new.email, new.password)
            return f"Created {user.email}, {user.id}."
        if options.command == "deactivate":
            await accounts.deactivate(options.email.lower())
            return f"Deactivated {options.email}."
        logins, failures = await accounts.purge()
        return f"Removed {logins} expired logins and {failures} old failures."


def main() -> None:
    """Run the command of this process."""
    options = parse()
    try:
        done = asyncio.run(run(options))
    except ValidationError as error:
        # Not its own text, which repeats the values.
        problems = error.errors(include_input=False, include_url=False)
        sys.exit("\n".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in problems))
    except (AppError, SettingsError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main()
