"""API keys: credentials of programs, which do not expire.

A key acts for the user who created it, with the scopes that both the key and the user have. It is
sent like an access token. Deactivating the user disables it; changing the password does not. Users
manage keys with an access token only, so a leaked key cannot create its successor.
"""

import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID, uuid4

from app.db import Database, Transaction
from app.db.base import Row
from app.db.repositories.api_keys import ApiKeyUseWriter, ApiKeyWriter
from app.db.repositories.users import UserWriter
from app.errors import AppError, ConflictError, UnprocessableError

#: Lets programs that search for leaked secrets recognize a key. No access token begins like this.
PREFIX = "ak_"
#: Number of keys that a user can have.
MAX_KEYS = 20

_ID_BYTES, _SECRET_BYTES = 16, 32

logger = logging.getLogger(__name__)


class TooManyApiKeysError(ConflictError):
    """The user has `MAX_KEYS` keys."""

    code = "too-many-api-keys"

    def __init__(self) -> None:
        super().__init__(f"You have {MAX_KEYS} API keys. Delete one first.")


class ApiKey(NamedTuple):
    """An API key: the ID of its row, and a random secret."""

    id: UUID
    secret: bytes

    @classmethod
    def new(cls) -> "ApiKey":
        """Return a key with a new ID and a new secret."""
        return cls(uuid4(), secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "ApiKey | None":
        """Return the key that `encode` encoded, or None if the text is malformed."""
        try:
            content = urlsafe_b64decode(text.removeprefix(PREFIX))
        except ValueError:
            return None
        if len(content) != _ID_BYTES + _SECRET_BYTES:
            return None
        key = cls(UUID(bytes=content[:_ID_BYTES]), content[_ID_BYTES:])
        # The decoder ignores characters outside its alphabet: accept only the text of `encode`.
        return key if key.encode() == text else None

    def encode(self) -> str:
        """Return the text that is sent to the client."""
        return PREFIX + urlsafe_b64encode(self.id.bytes + self.secret).decode()

    @property
    def secret_hash(self) -> str:
        """The hash to store. A random secret of 256 bits needs no salt and no slow hash."""
        return sha256(self.secret).hexdigest()


async def create_api_key(
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
    return key._replace(id=row.id), row


async def record_use(key_id: UUID, database: Database) -> None:
    """Store that a key was used just now. Log an `AppError` instead of raising it."""
    try:
        async with database.transaction() as transaction:
            await ApiKeyUseWriter(transaction).record(key_id)
    except AppError as error:
        logger.warning("The use of the API key %s is not recorded: %s", key_id, error)
