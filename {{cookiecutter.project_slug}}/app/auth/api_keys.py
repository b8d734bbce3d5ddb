"""API keys: credentials of programs, which do not expire.

A key acts for the user who created it, with the scopes that both the key and the user have. It is
sent like an access token. Deactivating the user disables it; changing the password does not. Users
manage keys with an access token only, so a leaked key cannot create its successor.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from app.auth.opaque_tokens import ApiKey
from app.db import Database, Transaction
from app.db.base import Row
from app.db.repositories.api_keys import ApiKeyUseWriter, ApiKeyWriter
from app.db.repositories.users import UserWriter
from app.errors import AppError, ConflictError, UnprocessableError

#: Number of keys that a user can have.
MAX_KEYS = 20

logger = logging.getLogger(__name__)


class TooManyApiKeysError(ConflictError):
    """The user has `MAX_KEYS` keys."""

    code = "too-many-api-keys"

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_KEYS} API keys. Delete one first.")


async def issue_api_key(
    user_id: UUID, name: str, scopes: Sequence[str], transaction: Transaction
) -> tuple[ApiKey, Row]:
    """Create a key of a user. Return the key, which is not stored, and its row.

    Raises `UnprocessableError` for scopes that the user does not have, and `TooManyApiKeysError`.
    """
    # Locks the row, so that concurrent requests cannot exceed the limit.
    user = await UserWriter(transaction).get(user_id)
    if missing := [scope for scope in scopes if scope not in user.scopes]:
        detail = f"You do not have these scopes: {', '.join(missing)}."
        raise UnprocessableError(detail, loc=("body", "scopes"))
    keys = ApiKeyWriter(transaction, user_id)
    if await keys.count() >= MAX_KEYS:
        raise TooManyApiKeysError
    key = ApiKey.new()
    row = await keys.create(name=name, scopes=[*scopes], secret_hash=key.secret_hash)
    # The ID of the database increases with each key: the list is sorted by it.
    return replace(key, id=row.id), row


async def record_use(key_id: UUID, database: Database) -> None:
    """Store that a key was used just now. Log an `AppError` instead of raising it."""
    try:
        async with database.transaction() as transaction:
            await ApiKeyUseWriter(transaction).record(key_id)
    except AppError as error:
        logger.warning("The use of the API key %s is not recorded: %s", key_id, error)
