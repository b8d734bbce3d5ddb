"""Users and the refresh tokens of their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Float,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    literal,
    literal_column,
    select,
    update,
)

from app.db.base import Row
from app.db.models.users import HASH_PARAMETERS, RefreshToken, User
from app.db.repositories.base import Reader, Writer

COLUMNS = (
    User.id, User.email, User.password_hash, User.is_active, User.credentials_version,
    User.scopes, User.created_at,
)  # fmt: skip

BY_ID = select(*COLUMNS).where(User.id == bindparam("id"))
BY_SESSION = BY_ID.where(
    exists().where(
        RefreshToken.id == bindparam("session_id"),
        RefreshToken.user_id == User.id,
        RefreshToken.expires_at > func.now(),
    )
)
BY_EMAIL = select(*COLUMNS).where(User.email == bindparam("email"))

# Bulk statements need not update entities in the session: it holds none of these rows.
_WITHOUT_SYNC = {"synchronize_session": False}

# Each step of the recursion finds the next value in the index. DISTINCT would read all users.
_SMALLEST = select(func.min(HASH_PARAMETERS).label("parameters")).select_from(User)
_FOUND = _SMALLEST.cte("found", recursive=True)
_NEXT = _SMALLEST.where(_FOUND.c.parameters < HASH_PARAMETERS).scalar_subquery()
_ALL = _FOUND.union_all(select(_NEXT).where(_FOUND.c.parameters.is_not(None)))
DISTINCT_PARAMETERS = (
    select(_ALL.c.parameters)
    .where(_ALL.c.parameters.is_not(None))
    .limit(bindparam("limit", type_=Integer))
)


class UserReader(Reader):
    """Reads users, including their credentials."""

    async def find(self, user_id: UUID) -> Row | None:
        """Return the user with this ID, or None."""
        return await self.fetch_one_or_none(BY_ID, id=user_id)

    async def find_by_subject(self, user_id: UUID, session_id: UUID | None) -> Row | None:
        """Return the user with this ID, or None if the session has ended.

        A session ID of None is that of an access token without a session.
        """
        if session_id is None:
            return await self.find(user_id)
        return await self.fetch_one_or_none(BY_SESSION, id=user_id, session_id=session_id)

    async def find_by_email(self, email: str) -> Row | None:
        """Return the user with this lower-case e-mail, or None."""
        return await self.fetch_one_or_none(BY_EMAIL, email=email)

    async def hash_parameters(self, limit: int) -> list[str]:
        """Return up to `limit` different parameters of the password hashes of all users."""
        rows = await self.fetch_all(DISTINCT_PARAMETERS, limit=limit)
        return [row.parameters for row in rows]


class UserWriter(Writer):
    """Creates and updates users."""

    model = User

    async def lock_if_active_and_current(self, user_id: UUID, credentials_version: int) -> bool:
        """Lock the row of an active user until the transaction ends.

        Return False, without a lock, if the user is missing or inactive, or if the credentials
        version differs because the credentials have changed.
        """
        statement = select(User.id).where(
            User.id == user_id,
            User.is_active,
            User.credentials_version == credentials_version,
        )
        return await self._transaction.scalar(statement.with_for_update()) is not None

    async def invalidate_access_tokens(self, user_id: UUID) -> None:
        """Invalidate all access tokens of the user by incrementing the credentials version."""
        statement = update(User).where(User.id == user_id)
        version = User.credentials_version + 1
        await self._transaction.execute(
            statement.values(credentials_version=version), execution_options=_WITHOUT_SYNC
        )


class RefreshTokenWriter(Writer):
    """Creates, rotates and deletes refresh tokens, one row per family."""

    model = RefreshToken

    async def rotate(
        self,
        family_id: UUID,
        old_hash: str,
        new_hash: str,
        *,
        expires_at: datetime,
        max_age: float,
        client: str,
    ) -> Row | None:
        """Replace the token of a family; return the user's ID and credentials version.

        Return None if the token is not the latest, if it has expired, if the family is older than
        `max_age` seconds, or if the user is inactive. The new token expires at `expires_at`, or
        when the family reaches that age. A single statement checks and replaces, so only one of
        several concurrent requests succeeds.
        """
        end = RefreshToken.created_at + literal(max_age, Float) * literal_column(
            "interval '1 second'"
        )
        statement = (
            update(RefreshToken)
            .where(RefreshToken.id == family_id, RefreshToken.token_hash == old_hash)
            .where(RefreshToken.expires_at > func.now(), end > func.now())
            .where(RefreshToken.user_id == User.id, User.is_active)
            .values(
                token_hash=new_hash,
                expires_at=func.least(expires_at, end),
                last_used_at=func.now(),
                client=client,
            )
            .returning(User.id, User.credentials_version)
        )
        result = await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)
        return result.one_or_none()

    async def revoke(self, family_id: UUID) -> None:
        """Delete the family, if it exists."""
        statement = delete(RefreshToken).where(RefreshToken.id == family_id)
        await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)

    async def revoke_all(self, user_id: UUID) -> None:
        """Delete all families of a user."""
        statement = delete(RefreshToken).where(RefreshToken.user_id == user_id)
        await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)

    async def delete_expired(self) -> int:
        """Delete expired families; return how many."""
        statement = delete(RefreshToken).where(RefreshToken.expires_at <= func.now())
        deleted = await self._transaction.scalars(statement.returning(RefreshToken.id))
        return len(deleted.all())
