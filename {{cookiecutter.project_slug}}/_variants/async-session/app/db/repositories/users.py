"""Users, and the tokens that keep them logged in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, select, update

from app.db.models.users import RefreshToken, User
from app.db.repositories.base import Reader, Writer

COLUMNS = (
    User.id, User.email, User.password_hash, User.is_active, User.credentials_version,
    User.created_at,
)  # fmt: skip

BY_ID = select(*COLUMNS).where(User.id == bindparam("id"))
BY_EMAIL = select(*COLUMNS).where(User.email == bindparam("email"))

# No entity that a session holds need be changed with the rows.
_PLAIN = {"synchronize_session": False}


class UserReader(Reader):
    """Users with their credentials."""

    async def find(self, user_id: UUID) -> Row[Any] | None:
        """The user with this id, if there is one."""
        return next(iter(await self.fetch_all(BY_ID, id=user_id)), None)

    async def find_by_email(self, email: str) -> Row[Any] | None:
        """The user with this address, in lower case, if there is one."""
        return next(iter(await self.fetch_all(BY_EMAIL, email=email)), None)


class UserWriter(Writer[User]):
    """Changes to users."""

    model = User

    async def lock(self, user_id: UUID, version: int) -> bool:
        """Whether the user is active and the credentials are of this version.

        It stays so until the transaction ends.
        """
        statement = select(User.id).where(
            User.id == user_id, User.is_active, User.credentials_version == version
        )
        return await self._session.scalar(statement.with_for_update()) is not None

    async def end_access(self, user_id: UUID) -> None:
        """Make all access tokens that the user has worthless."""
        statement = update(User).where(User.id == user_id)
        version = User.credentials_version + 1
        await self._session.execute(
            statement.values(credentials_version=version), execution_options=_PLAIN
        )

    async def deactivate(self, email: str) -> UUID | None:
        """Let the user with this address in no more; None when there is none."""
        statement = update(User).where(User.email == email).values(is_active=False)
        return await self._session.scalar(statement.returning(User.id), execution_options=_PLAIN)


class RefreshTokenWriter(Writer[RefreshToken]):
    """Changes to refresh tokens."""

    model = RefreshToken

    async def rotate(
        self, family: UUID, old_hash: str, new_hash: str, expires_at: datetime
    ) -> Row[UUID, int] | None:
        """Replace a token that is valid; the user's id and version, or None if it is not.

        One statement decides: of those that bring the same token, only the first succeeds.
        """
        statement = (
            update(RefreshToken)
            .where(RefreshToken.id == family, RefreshToken.token_hash == old_hash)
            .where(RefreshToken.expires_at > func.now())
            .where(RefreshToken.user_id == User.id, User.is_active)
            .values(token_hash=new_hash, expires_at=expires_at)
            .returning(User.id, User.credentials_version)
        )
        return (await self._session.execute(statement, execution_options=_PLAIN)).one_or_none()

    async def end(self, family: UUID) -> None:
        """Remove the family, if it is there."""
        statement = delete(RefreshToken).where(RefreshToken.id == family)
        await self._session.execute(statement, execution_options=_PLAIN)

    async def end_all(self, user_id: UUID) -> None:
        """Remove all families of a user."""
        statement = delete(RefreshToken).where(RefreshToken.user_id == user_id)
        await self._session.execute(statement, execution_options=_PLAIN)

    async def purge(self) -> int:
        """Remove what has expired; how many there were."""
        statement = delete(RefreshToken).where(RefreshToken.expires_at <= func.now())
        removed = await self._session.scalars(statement.returning(RefreshToken.id))
        return len(removed.all())
