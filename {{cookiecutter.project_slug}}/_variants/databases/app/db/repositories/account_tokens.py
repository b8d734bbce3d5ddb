"""What a link in a mail completes, and the users whose e-mail is not confirmed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.base import Row
from app.db.models.account_tokens import account_tokens, unconfirmed_users
from app.db.models.users import refresh_tokens, users
from app.db.repositories.base import Reader, Writer
from app.db.repositories.users import BY_EMAIL

_IS_UNCONFIRMED = exists().where(unconfirmed_users.c.user_id == users.c.id)
_IS_ABANDONED = and_(
    _IS_UNCONFIRMED,
    users.c.is_active,
    ~exists().where(account_tokens.c.user_id == users.c.id),
    ~exists().where(refresh_tokens.c.user_id == users.c.id),
)
CONFIRMED_BY_EMAIL = select(*users.c).where(users.c.email == bindparam("email"), ~_IS_UNCONFIRMED)
LIVE = select(*account_tokens.c).where(
    account_tokens.c.token_hash == bindparam("token_hash"),
    account_tokens.c.expires_at > func.now(),
)
REQUEST = select(
    account_tokens.c.email, account_tokens.c.password_hash, account_tokens.c.user_id
).where(account_tokens.c.id == bindparam("id"))


class ConfirmedUserReader(Reader):
    """Reads users whose e-mail is confirmed, including their credentials."""

    async def find_by_email(self, email: str) -> Row | None:
        """Return the confirmed user with this lower-case e-mail, or None."""
        return await self.fetch_one_or_none(CONFIRMED_BY_EMAIL, email=email)


class AccountTokenReader(Reader):
    """Finds tokens."""

    async def find_live(self, token_hash: str) -> Row | None:
        """Return the row of a token that has not expired, or None."""
        return await self.fetch_one_or_none(LIVE, token_hash=token_hash)


class AccountTokenWriter(Writer):
    """Creates, issues and deletes tokens."""

    table = account_tokens

    async def find_request(self, token_id: UUID) -> Row | None:
        """Return e-mail, hash of the password and ID of the user, or None; without a lock."""
        return await self.fetch_one_or_none(REQUEST, id=token_id)

    async def issue(
        self, token_id: UUID, user_id: UUID, token_hash: str, expires_at: datetime
    ) -> bool:
        """Store the user and the hash of a token, in place of an earlier one of this row.

        Return False if the row no longer exists.
        """
        statement = (
            update(account_tokens)
            .where(account_tokens.c.id == token_id)
            .values(user_id=user_id, token_hash=token_hash, expires_at=expires_at)
        )
        return (await self._transaction.execute(statement)).rowcount > 0

    async def has_others(self, token_id: UUID, user_id: UUID) -> bool:
        """Return whether the user has other tokens that have not expired."""
        statement = select(
            exists().where(
                account_tokens.c.user_id == user_id,
                account_tokens.c.id != token_id,
                account_tokens.c.expires_at > func.now(),
            )
        )
        return bool(await self._transaction.scalar(statement))

    async def redeem(self, token_hash: str) -> bool:
        """Delete a token that has not expired. Only one of several concurrent calls gets True."""
        statement = delete(account_tokens).where(
            account_tokens.c.token_hash == token_hash, account_tokens.c.expires_at > func.now()
        )
        return (await self._transaction.execute(statement)).rowcount > 0

    async def discard(self, token_id: UUID) -> bool:
        """Delete the row; return False if it does not exist."""
        statement = delete(account_tokens).where(account_tokens.c.id == token_id)
        return (await self._transaction.execute(statement)).rowcount > 0

    async def void_all(self, user_id: UUID) -> None:
        """Delete all tokens of a user."""
        statement = delete(account_tokens).where(account_tokens.c.user_id == user_id)
        await self._transaction.execute(statement)

    async def delete_expired(self, before: datetime) -> None:
        """Delete the tokens that have expired before this time."""
        statement = delete(account_tokens).where(account_tokens.c.expires_at < before)
        await self._transaction.execute(statement)


class UnconfirmedUserWriter(Writer):
    """Marks users as unconfirmed, and finds and deletes them."""

    table = unconfirmed_users

    async def lock_user(self, email: str) -> UUID | None:
        """Lock the user with this lower-case e-mail; return the ID, or None if missing."""
        user_id: UUID | None = await self._transaction.scalar(
            select(users.c.id).where(users.c.email == email).with_for_update()
        )
        return user_id

    async def is_email_in_use(self, email: str, *, by_confirmed: bool) -> bool:
        """Return whether a user, or a confirmed one, has this lower-case e-mail; without a lock."""
        statement = CONFIRMED_BY_EMAIL if by_confirmed else BY_EMAIL
        return await self.fetch_one_or_none(statement, email=email) is not None

    async def exists(self, user_id: UUID) -> bool:
        """Return whether the user is unconfirmed."""
        statement = select(unconfirmed_users.c.user_id).where(
            unconfirmed_users.c.user_id == user_id
        )
        return await self._transaction.scalar(statement) is not None

    async def confirm(self, user_id: UUID) -> bool:
        """Delete the mark; return False if there is none."""
        statement = delete(unconfirmed_users).where(unconfirmed_users.c.user_id == user_id)
        return (await self._transaction.execute(statement)).rowcount > 0

    async def delete_user(self, email: str) -> None:
        """Delete the user with this lower-case e-mail, if the user is unconfirmed."""
        await self._delete_users(and_(users.c.email == email, _IS_UNCONFIRMED))

    async def delete_abandoned_users(self) -> None:
        """Delete the unconfirmed users that have neither tokens nor sessions.

        Keeps deactivated users, so that they cannot register again.
        Skips users whom other transactions have locked. A later call deletes them.
        """
        await self._delete_users(_IS_ABANDONED, skip_locked=True)

    async def _delete_users(
        self, condition: ColumnElement[bool], *, skip_locked: bool = False
    ) -> None:
        # In two statements. The second one sees what other transactions committed before they
        # released the locks, such as a confirmation or a new token.
        lock = select(users.c.id).where(condition)
        lock = lock.with_for_update(of=users, skip_locked=skip_locked)
        ids = [row.id for row in await self.fetch_all(lock)]
        is_locked = users.c.id == any_(bindparam("ids", ids, type_=ARRAY(Uuid)))
        await self._transaction.execute(delete(users).where(is_locked, condition))
