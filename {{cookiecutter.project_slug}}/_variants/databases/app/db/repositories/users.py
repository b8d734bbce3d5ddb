"""Users, and the tokens that keep them logged in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from app.db.base import Row
from app.db.models.users import refresh_tokens, users
from app.db.repositories.base import Reader, Writer

BY_ID = select(*users.c).where(users.c.id == bindparam("id"))
BY_EMAIL = select(*users.c).where(users.c.email == bindparam("email"))


class UserReader(Reader):
    """Users with their credentials."""

    async def find(self, user_id: UUID) -> Row | None:
        """The user with this id, if there is one."""
        return next(iter(await self.fetch_all(BY_ID, id=user_id)), None)

    async def find_by_email(self, email: str) -> Row | None:
        """The user with this address, in lower case, if there is one."""
        return next(iter(await self.fetch_all(BY_EMAIL, email=email)), None)


class UserWriter(Writer):
    """Changes to users."""

    table = users

    async def lock(self, user_id: UUID, version: int) -> bool:
        """Whether the user is active and the credentials are of this version.

        It stays so until the transaction ends.
        """
        statement = select(users.c.id).where(
            users.c.id == user_id, users.c.is_active, users.c.credentials_version == version
        )
        return await self._transaction.fetch_one(statement.with_for_update()) is not None

    async def end_access(self, user_id: UUID) -> None:
        """Make all access tokens that the user has worthless."""
        statement = update(users).where(users.c.id == user_id)
        version = users.c.credentials_version + 1
        await self._transaction.execute(statement.values(credentials_version=version))

    async def deactivate(self, email: str) -> UUID | None:
        """Let the user with this address in no more; None when there is none."""
        statement = update(users).where(users.c.email == email).values(is_active=False)
        found = await self._transaction.fetch_one(statement.returning(users.c.id))
        return found[0] if found else None


class RefreshTokenWriter(Writer):
    """Changes to refresh tokens."""

    table = refresh_tokens

    async def rotate(
        self, family: UUID, old_hash: str, new_hash: str, expires_at: datetime
    ) -> Any | None:
        """Replace a token that is valid; the user's id and version, or None if it is not.

        One statement decides: of those that bring the same token, only the first succeeds.
        """
        statement = (
            update(refresh_tokens)
            .where(refresh_tokens.c.id == family, refresh_tokens.c.token_hash == old_hash)
            .where(refresh_tokens.c.expires_at > func.now())
            .where(refresh_tokens.c.user_id == users.c.id, users.c.is_active)
            .values(token_hash=new_hash, expires_at=expires_at)
            .returning(users.c.id, users.c.credentials_version)
        )
        return await self._transaction.fetch_one(statement)

    async def end(self, family: UUID) -> None:
        """Remove the family, if it is there."""
        await self._transaction.execute(delete(refresh_tokens).where(refresh_tokens.c.id == family))

    async def end_all(self, user_id: UUID) -> None:
        """Remove all families of a user."""
        await self._transaction.execute(
            delete(refresh_tokens).where(refresh_tokens.c.user_id == user_id)
        )

    async def purge(self) -> int:
        """Remove what has expired; how many there were."""
        statement = delete(refresh_tokens).where(refresh_tokens.c.expires_at <= func.now())
        return len(await self._transaction.fetch_all(statement.returning(refresh_tokens.c.id)))
