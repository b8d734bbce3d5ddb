"""API keys of one user, and the users of API keys."""

from uuid import UUID

from sqlalchemy import bindparam, delete, func, literal_column, or_, select, update

from app.db.base import Row
from app.db.database import Database
from app.db.keyset import KeysetList
from app.db.models.api_keys import api_keys
from app.db.models.users import users
from app.db.repositories.base import Reader, Writer
from app.db.transaction import Transaction

# Each use of a key would otherwise write, and wait for the lock of the row.
_IS_USE_DUE = or_(
    api_keys.c.last_used_at.is_(None),
    api_keys.c.last_used_at < func.now() - literal_column("interval '1 minute'"),
)
_IS_KEY = api_keys.c.id == bindparam("key_id")
#: The user of a key, the scopes of the key, and whether its use is to be recorded.
USER_OF_KEY = (
    select(*users.c, api_keys.c.scopes.label("key_scopes"), _IS_USE_DUE.label("is_use_due"))
    .join(api_keys, api_keys.c.user_id == users.c.id)
    .where(_IS_KEY, api_keys.c.secret_hash == bindparam("secret_hash"))
)
RECORD_USE = update(api_keys).where(_IS_KEY, _IS_USE_DUE).values(last_used_at=func.now())


class ApiKeyReader(Reader):
    """Reads the keys of one user, without their secrets."""

    rows = KeysetList(
        select(
            *(api_keys.c[name] for name in ("id", "name", "scopes", "created_at", "last_used_at"))
        ).where(api_keys.c.user_id == bindparam("user_id"))
    )

    def __init__(self, database: Database, user_id: UUID) -> None:
        super().__init__(database, user_id=user_id)


class ApiKeyWriter(Writer):
    """Creates and deletes the keys of one user."""

    table = api_keys

    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        super().__init__(transaction, user_id=user_id)
        self._user_id = user_id

    async def count(self) -> int:
        """Return the number of keys."""
        statement = select(func.count()).where(api_keys.c.user_id == self._user_id)
        count: int = await self._transaction.scalar(statement)
        return count

    async def delete_all(self) -> None:
        """Delete all keys."""
        statement = delete(api_keys).where(api_keys.c.user_id == self._user_id)
        await self._transaction.execute(statement)


class ApiKeyUserReader(Reader):
    """Finds the users of keys."""

    async def find(self, key_id: UUID, secret_hash: str) -> Row | None:
        """Return the user of the key with this ID and hash, or None; see `USER_OF_KEY`."""
        return await self.fetch_one_or_none(USER_OF_KEY, key_id=key_id, secret_hash=secret_hash)


class ApiKeyUseWriter(Writer):
    """Records when keys are used."""

    table = api_keys

    async def record(self, key_id: UUID) -> None:
        """Set the time of the last use, unless it was set within a minute."""
        await self._transaction.execute(RECORD_USE, {"key_id": key_id})
