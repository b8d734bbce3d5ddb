"""Commands that administer users: `users list` and others, `create-user` and `deactivate`.

Each change is an audit event without an actor.
"""

import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from getpass import getpass

from app.auth.administration import UserAdministration, hash_new_password
from app.auth.authentication import Authentication
from app.auth.credential_check import UserRow
from app.auth.scopes import SCOPES
from app.auth.settings import AuthSettings
from app.commands import Parsers, RunCommand, format_table
from app.db import Database
from app.db.keyset import PageRequest
from app.db.repositories.admin_users import AccountReader
from app.db.repositories.users import UserReader
from app.errors import NotFoundError
from app.schemas.admin_users import PasswordSet
from app.schemas.users import UserCreate
from app.settings import Settings

_MAX_LISTED = 1000


def add_commands(parsers: Parsers) -> None:
    """Add `users`, with its actions, and two short forms."""
    users = parsers.add_parser("users", help="list and administer users")
    actions = users.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help=f"list the newest {_MAX_LISTED} users")
    listing.add_argument("--scope", choices=SCOPES, help="only users with this scope")
    listing.set_defaults(run=list_users)
    commands: tuple[tuple[str, RunCommand, str], ...] = (
        ("show", show_user, "show a user"),
        ("create", create_user, "create a user (prompts for a password, or reads it from stdin)"),
        ("deactivate", deactivate_user, "disable a user and end all of the user's sessions"),
        ("reactivate", reactivate_user, "enable a deactivated user"),
        ("grant", grant_scopes, "give a user scopes"),
        ("revoke", revoke_scopes, "take scopes from a user"),
        ("set-password", set_password, "set a password, read as by `create`, and end all sessions"),
        ("end-sessions", end_sessions, "end all sessions of a user"),
    )
    for name, run, text in commands:
        command = actions.add_parser(name, help=text)
        command.add_argument("email", metavar="EMAIL")
        if name == "grant":
            command.add_argument("scopes", nargs="+", choices=SCOPES, metavar="SCOPE")
        elif name == "revoke":
            # Also scopes that the service no longer has.
            command.add_argument("scopes", nargs="+", metavar="SCOPE")
        command.set_defaults(run=run)
    # The names of these two in scripts that were written before there were others.
    for name, run, text in (
        ("create-user", create_user, "the same as `users create`"),
        ("deactivate", deactivate_user, "the same as `users deactivate`"),
    ):
        command = parsers.add_parser(name, help=text)
        command.add_argument("email", metavar="EMAIL")
        command.set_defaults(run=run)


async def list_users(options: Namespace, _: Settings, database: Database) -> str:
    """Return a table of users."""
    filters = {"scope": options.scope} if options.scope else {}
    users = await AccountReader(database).list(PageRequest(_MAX_LISTED, filters=filters))
    cells = [
        (user.email, "active" if user.is_active else "inactive", " ".join(user.scopes))
        for user in users[:_MAX_LISTED]
    ]
    table = format_table([("E-MAIL", "STATE", "SCOPES"), *cells])
    return f"{table}\nThere are more users." if len(users) > _MAX_LISTED else table


async def show_user(options: Namespace, _: Settings, database: Database) -> str:
    """Return what is known about a user. Raises `NotFoundError` if the user does not exist."""
    user = await _find(options, database)
    return format_table(
        [
            ("ID", str(user.id)),
            ("E-mail", user.email),
            ("State", "active" if user.is_active else "inactive"),
            ("Scopes", " ".join(user.scopes)),
            ("Created at", f"{user.created_at:%Y-%m-%dT%H:%M:%SZ}"),
        ]
    )


async def create_user(options: Namespace, settings: Settings, database: Database) -> str:
    """Create a user. Raises `ValidationError` for an invalid e-mail or password."""
    new = UserCreate.model_validate({"email": options.email, "password": _read_password()})
    password_hash = await hash_new_password(new.email, new.password, _authentication(settings))
    async with _administration(database) as administration:
        user = await administration.create(new.email, password_hash)
    return f"Created {user.email}, {user.id}."


async def deactivate_user(options: Namespace, _: Settings, database: Database) -> str:
    """Deactivate a user. Raises `NotFoundError` if the user does not exist."""
    user = await _find(options, database)
    async with _administration(database) as administration:
        await administration.update(user.id, is_active=False)
    return f"Deactivated {user.email}."


async def reactivate_user(options: Namespace, _: Settings, database: Database) -> str:
    """Reactivate a user. Raises `NotFoundError` if the user does not exist."""
    user = await _find(options, database)
    async with _administration(database) as administration:
        await administration.update(user.id, is_active=True)
    return f"Reactivated {user.email}."


async def grant_scopes(options: Namespace, _: Settings, database: Database) -> str:
    """Give a user scopes. Raises `NotFoundError` if the user does not exist."""
    user = await _find(options, database)
    async with _administration(database) as administration:
        user = await administration.grant(user.id, options.scopes)
    return _scopes_of(user)


async def revoke_scopes(options: Namespace, _: Settings, database: Database) -> str:
    """Take scopes from a user. Raises `NotFoundError` if the user does not exist."""
    user = await _find(options, database)
    async with _administration(database) as administration:
        user = await administration.revoke(user.id, options.scopes)
    return _scopes_of(user)


async def set_password(options: Namespace, settings: Settings, database: Database) -> str:
    """Set a password. Raises `NotFoundError` or `ValidationError`."""
    user = await _find(options, database)
    new = PasswordSet.model_validate({"password": _read_password()})
    password_hash = await hash_new_password(user.email, new.password, _authentication(settings))
    async with _administration(database) as administration:
        await administration.set_password(user.id, password_hash)
    return f"Set the password of {user.email}."


async def end_sessions(options: Namespace, _: Settings, database: Database) -> str:
    """End all sessions of a user. Raises `NotFoundError` if the user does not exist."""
    user = await _find(options, database)
    async with _administration(database) as administration:
        await administration.end_sessions(user.id)
    return f"Ended all sessions of {user.email}."


@asynccontextmanager
async def _administration(database: Database) -> AsyncIterator[UserAdministration]:
    async with database.transaction() as transaction:
        yield UserAdministration(transaction, actor_id=None, request_id=None)


async def _find(options: Namespace, database: Database) -> UserRow:
    email = options.email.lower()
    user: UserRow | None = await UserReader(database).find_by_email(email)
    if user is None:
        raise NotFoundError(f"There is no user {email}.")
    return user


def _authentication(settings: Settings) -> Authentication:
    return Authentication(settings.group(AuthSettings))


def _scopes_of(user: UserRow) -> str:
    return f"Scopes of {user.email}: {' '.join(user.scopes) or 'none'}."


def _read_password() -> str:
    """Return the password typed at the terminal, or else the first line of standard input."""
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")
