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
from app.db.models.account_tokens import AccountToken, UnconfirmedUser
from app.db.models.users import RefreshToken, User
from app.db.repositories.base import Reader, Writer
from app.db.repositories.users import BY_EMAIL, COLUMNS

_IS_UNCONFIRMED = exists().where(UnconfirmedUser.user_id == User.id)
_IS_ABANDONED = and_(
    _IS_UNCONFIRMED,
    User.is_active,
    ~exists().where(AccountToken.user_id == User.id),
    ~exists().where(RefreshToken.user_id == User.id),
)
CONFIRMED_BY_EMAIL = select(*COLUMNS).where(User.email == bindparam("email"), ~_IS_UNCONFIRMED)
LIVE = select(*AccountToken.__table__.c).where(
    AccountToken.token_hash == bindparam("token_hash"), AccountToken.expires_at > func.now()
)
REQUEST = select(AccountToken.email, AccountToken.password_hash, AccountToken.user_id).where(
    AccountToken.id == bindparam("id")
)

# Bulk statements need not update entities in the session: it holds none of these rows.
_WITHOUT_SYNC = {"synchronize_session": False}


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

    model = AccountToken

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
            update(AccountToken)
            .where(AccountToken.id == token_id)
            .values(user_id=user_id, token_hash=token_hash, expires_at=expires_at)
            .returning(AccountToken.id)
        )
        return (
            await self._transaction.scalar(statement, execution_options=_WITHOUT_SYNC) is not None
        )

    async def has_others(self, token_id: UUID, user_id: UUID) -> bool:
        """Return whether the user has other tokens that have not expired."""
        statement = select(
            exists().where(
                AccountToken.user_id == user_id,
                AccountToken.id != token_id,
                AccountToken.expires_at > func.now(),
            )
        )
        return bool(await self._transaction.scalar(statement))

    async def redeem(self, token_hash: str) -> bool:
        """Delete a token that has not expired. Only one of several concurrent calls gets True."""
        statement = (
            delete(AccountToken)
            .where(AccountToken.token_hash == token_hash, AccountToken.expires_at > func.now())
            .returning(AccountToken.id)
        )
        return (
            await self._transaction.scalar(statement, execution_options=_WITHOUT_SYNC) is not None
        )

    async def discard(self, token_id: UUID) -> bool:
        """Delete the row; return False if it does not exist."""
        statement = delete(AccountToken).where(AccountToken.id == token_id)
        return (
            await self._transaction.scalar(
                statement.returning(AccountToken.id), execution_options=_WITHOUT_SYNC
            )
            is not None
        )

    async def void_all(self, user_id: UUID) -> None:
        """Delete all tokens of a user."""
        statement = delete(AccountToken).where(AccountToken.user_id == user_id)
        await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)

    async def delete_expired(self, before: datetime) -> None:
        """Delete the tokens that have expired before this time."""
        statement = delete(AccountToken).where(AccountToken.expires_at < before)
        await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)


class UnconfirmedUserWriter(Writer):
    """Marks users as unconfirmed, and finds and deletes them."""

    model = UnconfirmedUser

    async def lock_user(self, email: str) -> UUID | None:
        """Lock the user with this lower-case e-mail; return the ID, or None if missing."""
        return await self._transaction.scalar(
            select(User.id).where(User.email == email).with_for_update()
        )

    async def is_email_in_use(self, email: str, *, by_confirmed: bool) -> bool:
        """Return whether a user, or a confirmed one, has this lower-case e-mail; without a lock."""
        statement = CONFIRMED_BY_EMAIL if by_confirmed else BY_EMAIL
        return await self.fetch_one_or_none(statement, email=email) is not None

    async def exists(self, user_id: UUID) -> bool:
        """Return whether the user is unconfirmed."""
        statement = select(UnconfirmedUser.user_id).where(UnconfirmedUser.user_id == user_id)
        return await self._transaction.scalar(statement) is not None

    async def confirm(self, user_id: UUID) -> bool:
        """Delete the mark; return False if there is none."""
        statement = (
            delete(UnconfirmedUser)
            .where(UnconfirmedUser.user_id == user_id)
            .returning(UnconfirmedUser.user_id)
        )
        return (
            await self._transaction.scalar(statement, execution_options=_WITHOUT_SYNC) is not None
        )

    async def delete_user(self, email: str) -> None:
        """Delete the user with this lower-case e-mail, if the user is unconfirmed."""
        await self._delete_users(and_(User.email == email, _IS_UNCONFIRMED))

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
        lock = select(User.id).where(condition).with_for_update(of=User, skip_locked=skip_locked)
        ids = [row.id for row in await self.fetch_all(lock)]
        is_locked = User.id == any_(bindparam("ids", ids, type_=ARRAY(Uuid)))
        statement = delete(User).where(is_locked, condition)
        await self._transaction.execute(statement, execution_options=_WITHOUT_SYNC)
