"""API keys of one user, and the users of API keys."""

from uuid import UUID

from sqlalchemy import bindparam, delete, func, literal_column, or_, select, update

from app.db.base import Row
from app.db.database import Database
from app.db.keyset import KeysetList
from app.db.models.api_keys import ApiKey
from app.db.models.users import User
from app.db.repositories.base import Reader, Writer
from app.db.repositories.users import COLUMNS
from app.db.transaction import Transaction

# Each use of a key would otherwise write, and wait for the lock of the row.
_IS_USE_DUE = or_(
    ApiKey.last_used_at.is_(None),
    ApiKey.last_used_at < func.now() - literal_column("interval '1 minute'"),
)
#: The user of a key, the scopes of the key, and whether its use is to be recorded.
USER_OF_KEY = (
    select(*COLUMNS, ApiKey.scopes.label("key_scopes"), _IS_USE_DUE.label("is_use_due"))
    .join(ApiKey, ApiKey.user_id == User.id)
    .where(ApiKey.id == bindparam("key_id"), ApiKey.secret_hash == bindparam("secret_hash"))
)
RECORD_USE = (
    update(ApiKey)
    .where(ApiKey.id == bindparam("key_id"), _IS_USE_DUE)
    .values(last_used_at=func.now())
)

# Bulk statements need not update entities in the session: it holds none of these rows.
_WITHOUT_SYNC = {"synchronize_session": False}


class ApiKeyReader(Reader):
    """Reads the keys of one user, without their secrets."""

    rows = KeysetList(
        select(ApiKey.id, ApiKey.name, ApiKey.scopes, ApiKey.created_at, ApiKey.last_used_at).where(
            ApiKey.user_id == bindparam("user_id")
        )
    )

    def __init__(self, database: Database, user_id: UUID) -> None:
        super().__init__(database, user_id=user_id)


class ApiKeyWriter(Writer):
    """Creates and deletes the keys of one user."""

    model = ApiKey

    def __init__(self, transaction: Transaction, user_id: UUID) -> None:
        super().__init__(transaction, user_id=user_id)
        self._user_id = user_id

    async def count(self) -> int:
        """Return the number of keys."""
        statement = select(func.count()).where(ApiKey.user_id == self._user_id)
        count: int = await self._transaction.scalar(statement) or 0
        return count

    async def delete_all(self) -> None:
        """Delete all keys."""
        statement = delete(ApiKey).where(ApiKey.user_id == self._user_id)
        await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)


class ApiKeyUserReader(Reader):
    """Finds the users of keys."""

    async def find(self, key_id: UUID, secret_hash: str) -> Row | None:
        """Return the user of the key with this ID and hash, or None; see `USER_OF_KEY`."""
        return await self.fetch_one_or_none(USER_OF_KEY, key_id=key_id, secret_hash=secret_hash)


class ApiKeyUseWriter(Writer):
    """Records when keys are used."""

    model = ApiKey

    async def record(self, key_id: UUID) -> None:
        """Set the time of the last use, unless it was set within a minute."""
        values = {"key_id": key_id}
        await self._transaction.execute(RECORD_USE, values, execution_options=_WITHOUT_SYNC)
