"""Failed logins, counted per account and per client network.

`app.auth.login_throttle` describes how they are used. All times are those of the database server,
whose clock all processes share.
"""

from typing import Any, cast

from sqlalchemy import ColumnElement, Float, bindparam, delete, func, literal_column, select

from app.db.base import Row
from app.db.models.login_failures import login_failures
from app.db.repositories.base import Reader, Writer

_IS_ACCOUNT = login_failures.c.account == bindparam("account")
_IS_ADDRESS = login_failures.c.address == bindparam("address")
_WINDOW = bindparam("window", type_=Float) * literal_column("interval '1 second'")
_IS_RECENT = login_failures.c.created_at > func.now() - _WINDOW


def _age_of_oldest(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    oldest = func.min(login_failures.c.created_at).filter(condition)
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
    select(login_failures.c.id)
    .where(~_IS_RECENT)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)


class LoginFailureReader(Reader):
    """Counts failed logins."""

    async def count_recent(self, account: str, address: str, window: float) -> Row:
        """Return counts and ages; see `COUNT_RECENT`."""
        return await self.fetch_one(COUNT_RECENT, account=account, address=address, window=window)


class LoginFailureWriter(Writer):
    """Stores, counts and deletes failed logins."""

    table = login_failures

    async def lock(self, account: str, address: str) -> None:
        """Lock the account and the address until the transaction ends."""
        await self._transaction.execute(LOCK.params({"account": account, "address": address}))

    async def count_recent(self, account: str, address: str, window: float) -> Row:
        """Return counts and ages; see `COUNT_RECENT`."""
        row = await self._transaction.fetch_one(
            COUNT_RECENT, account=account, address=address, window=window
        )
        # An aggregate has exactly one row.
        return cast("Row", row)

    async def delete_for_account(self, account: str) -> None:
        """Delete the failures of an account."""
        statement = delete(login_failures).where(login_failures.c.account == account)
        await self._transaction.execute(statement)

    async def delete_expired(self, window: float, limit: int) -> int:
        """Delete up to `limit` failures older than `window` seconds; return how many."""
        expired = EXPIRED_IDS.params({"window": window, "limit": limit})
        statement = delete(login_failures).where(login_failures.c.id.in_(expired))
        return len(await self._transaction.fetch_all(statement.returning(login_failures.c.id)))
