"""Failed logins: counted by account and by address, and removed when they no longer count."""

from typing import Any

from sqlalchemy import ColumnElement, Float, bindparam, delete, func, literal_column, select

from app.db.base import Row
from app.db.models.login_failures import login_failures
from app.db.repositories.base import Reader, Writer

OF_ACCOUNT = login_failures.c.account == bindparam("account")
OF_ADDRESS = login_failures.c.address == bindparam("address")
# By the clock of the server, which all processes share.
WINDOW = bindparam("window", type_=Float) * literal_column("interval '1 second'")
IS_RECENT = login_failures.c.created_at > func.now() - WINDOW


def _age_of_oldest(which: ColumnElement[bool]) -> ColumnElement[Any]:
    oldest = func.min(login_failures.c.created_at).filter(which)
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
    select(login_failures.c.id)
    .where(~IS_RECENT)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)


class LoginFailureReader(Reader):
    """Whether there were too many."""

    async def recent(self, account: str, address: str, window: float) -> Row:
        """See `RECENT`."""
        return await self.fetch_one(RECENT, account=account, address=address, window=window)


class LoginFailureWriter(Writer):
    """Changes to failed logins."""

    table = login_failures

    async def lock(self, account: str, address: str) -> None:
        """Wait for others that have this account or this address, until they have committed."""
        await self._transaction.execute(LOCK.params({"account": account, "address": address}))

    async def recent(self, account: str, address: str, window: float) -> Row | None:
        """See `RECENT`."""
        values = {"account": account, "address": address, "window": window}
        return await self._transaction.fetch_one(RECENT.params(values))

    async def clear(self, account: str) -> None:
        """Remove those of an account."""
        statement = delete(login_failures).where(login_failures.c.account == account)
        await self._transaction.execute(statement)

    async def remove_old(self, window: float, limit: int) -> int:
        """Remove up to `limit` that no longer count; how many there were."""
        old = OLD.params({"window": window, "limit": limit})
        statement = delete(login_failures).where(login_failures.c.id.in_(old))
        return len(await self._transaction.fetch_all(statement.returning(login_failures.c.id)))
