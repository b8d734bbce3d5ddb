"""Commands that create and deactivate users, and delete expired sessions."""

import sys
from argparse import Namespace
from getpass import getpass

from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.auth.settings import AuthSettings
from app.commands import Parsers
from app.db import Database
from app.schemas.users import UserCreate
from app.settings import Settings


def add_commands(parsers: Parsers) -> None:
    """Add `create-user`, `deactivate` and `purge`."""
    create = parsers.add_parser(
        "create-user", help="create a user (prompts for a password, or reads it from stdin)"
    )
    create.add_argument("email")
    create.set_defaults(run=create_user)
    deactivate = parsers.add_parser(
        "deactivate", help="deactivate a user and revoke all of the user's sessions"
    )
    deactivate.add_argument("email")
    deactivate.set_defaults(run=deactivate_user)
    purge = parsers.add_parser(
        "purge", help="delete expired sessions, failed login records and counts"
    )
    purge.set_defaults(run=purge_expired)


async def create_user(options: Namespace, settings: Settings, database: Database) -> str:
    """Create a user. Raises `ValidationError` for an invalid e-mail or password."""
    new = UserCreate.model_validate({"email": options.email, "password": _read_password()})
    user = await _accounts(settings, database).register(new.email, new.password)
    return f"Created {user.email}, {user.id}."


async def deactivate_user(options: Namespace, settings: Settings, database: Database) -> str:
    """Deactivate a user. Raises `NotFoundError` if the user does not exist."""
    await _accounts(settings, database).deactivate(options.email.lower())
    return f"Deactivated {options.email}."


async def purge_expired(_: Namespace, settings: Settings, database: Database) -> str:
    """Delete expired sessions, failed login records and counts of limited requests."""
    deleted = await _accounts(settings, database).purge_expired()
    return (
        f"Deleted {deleted.sessions} expired sessions,"
        f" {deleted.login_failures} failed login records"
        f" and {deleted.rate_limits} counts of limited requests."
    )


def _accounts(settings: Settings, database: Database) -> AccountService:
    return AccountService(database, Authentication(settings.group(AuthSettings)))


def _read_password() -> str:
    """Return the password typed at the terminal, or else the first line of standard input."""
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")
