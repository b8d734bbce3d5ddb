"""Users: all have the same password, and the first has all scopes."""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from app.auth.passwords import PasswordHasher
from app.auth.scopes import SCOPES
from app.auth.settings import AuthSettings
from app.settings import Settings

EMAIL = "user1@example.com"
PASSWORD = "only for development"  # noqa: S105 - not confidential
NOTES = [f"Log in as {EMAIL}, or another user, with the password: {PASSWORD}"]


async def values(settings: Settings) -> Mapping[str, Callable[[int], object]]:
    """Return the e-mail, the hash of the password, and the scopes."""
    password_hash = await PasswordHasher(settings.group(AuthSettings)).hash(SecretStr(PASSWORD))
    return {
        "email": lambda number: f"user{number}@example.com",
        "password_hash": lambda _: password_hash,
        "scopes": lambda number: [*SCOPES] if number == 1 else [],
    }
