"""Failed logins: counted by account and by address, and removed when they no longer count."""

from typing import Any

from sqlalchemy import ColumnElement, Float, Row, bindparam, delete, func, literal_column, select

from app.db.models.login_failures import LoginFailure
from app.db.repositories.base import Reader, Writer

OF_ACCOUNT = LoginFailure.account == bindparam("account")
OF_ADDRESS = LoginFailure.address == bindparam("address")
# By the clock of the server, which all processes share.
WINDOW = bindparam("window", type_=Float) * literal_column("interval '1 second'")
IS_RECENT = LoginFailure.created_at > func.now() - WINDOW


def _age_of_oldest(which: ColumnElement[bool]) -> ColumnElement[Any]:
    oldest = func.min(LoginFailure.created_at).filter(which)
    return func.date_part("epoch", func.now() - oldest)


#: How many there are within the last `window` seconds, and how many seconds old they are at most.
RECENT = select(
    func.count().filter(OF_ACCOUNT).label("of_account"),
    _age_of_oldest(OF_ACCOUNT).label("account_age"),
    func.count().filter(OF_ADDRESS).label("of_address"),
    _age_of_oldest(OF_ADDRESS).label("address_age"),
).where(OF_ACCOUNT | OF_ADDRESS, IS_RECENT)

# In this order everywhere, so that no two wait for each other.
LOCK = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("account"), 1)),
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("address"), 2)),
)

# What another transaction is about to remove is none of this one's business.
OLD = (
    select(LoginFailure.id)
    .where(~IS_RECENT)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
REMOVE_OLD = delete(LoginFailure).where(LoginFailure.id.in_(OLD)).returning(LoginFailure.id)


class LoginFailureReader(Reader):
    """Whether there were too many."""

    async def recent(self, account: str, address: str, window: float) -> Row[Any]:
        """See `RECENT`."""
        return await self.fetch_one(RECENT, account=account, address=address, window=window)


class LoginFailureWriter(Writer[LoginFailure]):
    """Changes to failed logins."""

    model = LoginFailure

    async def lock(self, account: str, address: str) -> None:
        """Wait for others that have this account or this address, until they have committed."""
        await self._session.execute(LOCK, {"account": account, "address": address})

    async def recent(self, account: str, address: str, window: float) -> Row[Any]:
        """See `RECENT`."""
        values = {"account": account, "address": address, "window": window}
        return (await self._session.execute(RECENT, values)).one()

    async def clear(self, account: str) -> None:
        """Remove those of an account."""
        statement = delete(LoginFailure).where(LoginFailure.account == account)
        await self._session.execute(statement, execution_options={"synchronize_session": False})

    async def remove_old(self, window: float, limit: int) -> int:
        """Remove up to `limit` that no longer count; how many there were."""
        removed = await self._session.scalars(
            REMOVE_OLD,
            {"window": window, "limit": limit},
            execution_options={"synchronize_session": False},
        )
        return len(removed.all())
