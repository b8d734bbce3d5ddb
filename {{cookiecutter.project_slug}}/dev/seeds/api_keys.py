"""API keys: the first one belongs to the first user, and is known."""

from collections.abc import Callable, Mapping
from uuid import UUID

from app.auth.opaque_tokens import ApiKey
from app.auth.scopes import SCOPES
from app.settings import Settings


def _key(number: int) -> ApiKey:
    return ApiKey(UUID(int=number), f"only for development {number}".encode().ljust(32, b"."))


# The first key has all scopes, so it must not belong to a user who existed before.
TOGETHER_WITH = "users"
KEY = _key(1).encode()
NOTES = [f"API key: {KEY}"]


async def values(_: Settings) -> Mapping[str, Callable[[int], object]]:
    """Return the ID, the scopes and the hash of each key."""
    return {
        "id": lambda number: _key(number).id,
        "scopes": lambda number: [*SCOPES] if number == 1 else [],
        "secret_hash": lambda number: _key(number).secret_hash,
    }
