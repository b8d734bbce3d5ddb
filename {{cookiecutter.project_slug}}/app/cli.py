"""Commands for operators: `python -m app.cli --help`.

Exit status: 0 on success, 1 on failure with the reason on standard error, 2 for wrong usage.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from getpass import getpass

from pydantic import ValidationError

from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.auth.settings import AuthSettings
from app.db import Database
from app.errors import AppError
from app.schemas.users import UserCreate
from app.settings import SettingsError, load_settings


def parse_arguments(arguments: list[str] | None = None) -> Namespace:
    """Return the command and its arguments; exits with status 2 if they are invalid."""
    parser = ArgumentParser(prog="python -m app.cli", description="Commands for operators.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser(
        "create-user", help="create a user (prompts for a password, or reads it from stdin)"
    )
    create.add_argument("email")
    deactivate = commands.add_parser(
        "deactivate", help="deactivate a user and revoke all of the user's sessions"
    )
    deactivate.add_argument("email")
    commands.add_parser("purge", help="delete expired sessions and failed login records")
    return parser.parse_args(arguments)


def read_password() -> str:
    """Return the password typed at the terminal, or else the first line of standard input."""
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


async def run(options: Namespace) -> str:
    """Run a command and return the message to print.

    Raises `AppError`, `SettingsError`, or `ValidationError` for an invalid e-mail or password.
    """
    settings = load_settings()
    async with Database(settings.database) as database:
        accounts = AccountService(database, Authentication(settings.group(AuthSettings)))
        if options.command == "create-user":
            new = UserCreate.model_validate({"email": options.email, "password": read_password()})
            user = await accounts.register(new.email, new.password)
            return f"Created {user.email}, {user.id}."
        if options.command == "deactivate":
            await accounts.deactivate(options.email.lower())
            return f"Deactivated {options.email}."
        deleted = await accounts.purge_expired()
        return (
            f"Deleted {deleted.sessions} expired sessions"
            f" and {deleted.login_failures} failed login records."
        )


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
