"""Failed logins, counted per account and per client network.

`app.auth.login_throttle` describes how they are used. All times are those of the database server,
whose clock all processes share.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Row, bindparam, delete, func, literal_column, select

from app.db.models.login_failures import LoginFailure
from app.db.repositories.base import Reader, Writer

_IS_ACCOUNT = LoginFailure.account == bindparam("account")
_IS_ADDRESS = LoginFailure.address == bindparam("address")
_WINDOW = bindparam("window", type_=Float) * literal_column("interval '1 second'")
_IS_RECENT = LoginFailure.created_at > func.now() - _WINDOW


def _age_of_oldest(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    oldest = func.min(LoginFailure.created_at).filter(condition)
    return func.date_part("epoch", func.now() - oldest)


#: The number of failures within the last `window` seconds, and the age of the oldest in seconds.
COUNT_RECENT = select(
    func.count().filter(_IS_ACCOUNT).label("account_count"),
    _age_of_oldest(_IS_ACCOUNT).label("account_age"),
    func.count().filter(_IS_ADDRESS).label("address_count"),
    _age_of_oldest(_IS_ADDRESS).label("address_age"),
).where(_IS_ACCOUNT | _IS_ADDRESS, _IS_RECENT)

# Advisory locks, because there may be no row to lock. Always in this order, to avoid deadlocks; the
# seeds 1 and 2 keep accounts and addresses apart.
LOCK = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("account"), 1)),
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("address"), 2)),
)

# SKIP LOCKED: ignore rows that another transaction is deleting.
EXPIRED_IDS = (
    select(LoginFailure.id)
    .where(~_IS_RECENT)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
DELETE_EXPIRED = (
    delete(LoginFailure).where(LoginFailure.id.in_(EXPIRED_IDS)).returning(LoginFailure.id)
)


class LoginFailureReader(Reader):
    """Counts failed logins."""

    async def count_recent(self, account: str, address: str, window: float) -> Row[Any]:
        """Return counts and ages; see `COUNT_RECENT`."""
        return await self.fetch_one(COUNT_RECENT, account=account, address=address, window=window)


class LoginFailureWriter(Writer[LoginFailure]):
    """Stores, counts and deletes failed logins."""

    model = LoginFailure

    async def lock(self, account: str, address: str) -> None:
        """Lock the account and the address until the transaction ends."""
        await self._session.execute(LOCK, {"account": account, "address": address})

    async def count_recent(self, account: str, address: str, window: float) -> Row[Any]:
        """Return counts and ages; see `COUNT_RECENT`."""
        values = {"account": account, "address": address, "window": window}
        return (await self._session.execute(COUNT_RECENT, values)).one()

    async def delete_for_account(self, account: str) -> None:
        """Delete the failures of an account."""
        statement = delete(LoginFailure).where(LoginFailure.account == account)
        await self._session.execute(statement, execution_options={"synchronize_session": False})

    async def delete_expired(self, window: float, limit: int) -> int:
        """Delete up to `limit` failures older than `window` seconds; return how many."""
        deleted = await self._session.scalars(
            DELETE_EXPIRED,
            {"window": window, "limit": limit},
            execution_options={"synchronize_session": False},
        )
        return len(deleted.all())
