"""The command that deletes expired sessions, failed login records and counts."""

from argparse import Namespace

from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.auth.settings import AuthSettings
from app.commands import Parsers
from app.db import Database
from app.settings import Settings


def add_commands(parsers: Parsers) -> None:
    """Add `purge`."""
    purge = parsers.add_parser(
        "purge", help="delete expired sessions, failed login records and counts"
    )
    purge.set_defaults(run=purge_expired)


async def purge_expired(_: Namespace, settings: Settings, database: Database) -> str:
    """Delete expired sessions, failed login records and counts of limited requests."""
    authentication = Authentication(settings.group(AuthSettings))
    deleted = await AccountService(database, authentication).purge_expired()
    return (
        f"Deleted {deleted.sessions} expired sessions,"
        f" {deleted.login_failures} failed login records"
        f" and {deleted.rate_limits} counts of limited requests."
    )
