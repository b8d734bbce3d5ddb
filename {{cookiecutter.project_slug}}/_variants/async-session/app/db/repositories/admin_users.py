"""The accounts of all users, as administrators see them."""

from uuid import UUID

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.dialects.postgresql import array

from app.db.keyset import KeysetList
from app.db.models.users import User
from app.db.repositories.base import Reader, Writer

_HAS_SCOPE = User.scopes.contains(array([cast(bindparam("scope"), Text)]))
# In the order of the IDs, so that concurrent transactions cannot deadlock.
LOCK_ACTIVE_WITH_SCOPE = (
    select(User.id).where(User.is_active, _HAS_SCOPE).order_by(User.id).with_for_update()
)


class AccountReader(Reader):
    """Reads accounts, without their credentials."""

    rows = KeysetList(
        select(User.id, User.email, User.is_active, User.scopes, User.created_at),
        sorts=("-created_at", "created_at", "email", "-email"),
        filters={"email": User.email, "is_active": User.is_active, "scope": _HAS_SCOPE},
    )


class AccountWriter(Writer):
    """Locks accounts."""

    model = User

    async def lock_active_with_scope(self, scope: str) -> set[UUID]:
        """Lock the active users with a scope until the transaction ends, and return their IDs."""
        return {row.id for row in await self.fetch_all(LOCK_ACTIVE_WITH_SCOPE, scope=scope)}
