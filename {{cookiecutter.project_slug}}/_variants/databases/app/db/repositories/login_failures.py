"""Failed logins, counted per account and per network of the client.

`app.auth.login_throttle` describes how they are used. All times are those of the database server,
whose clock all processes share.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, bindparam, delete, func, literal_column, select

from app.db.base import Row
from app.db.models.login_failures import login_failures
from app.db.repositories.base import Reader, Writer

_IS_ACCOUNT = login_failures.c.account == bindparam("account_key")
_IS_NETWORK = login_failures.c.address == bindparam("network")
# Never true if the site is NULL.
_IS_SITE = login_failures.c.site == bindparam("site")
_WINDOW = bindparam("window", type_=Float) * literal_column("interval '1 second'")
_IS_RECENT = login_failures.c.created_at > func.now() - _WINDOW


def _oldest_age(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return the age in seconds of the oldest failure, or 0 if there is none."""
    oldest = func.min(login_failures.c.created_at).filter(condition)
    return func.coalesce(func.date_part("epoch", func.now() - oldest), 0)


#: Failures of the last `window` seconds: a row as `RecentFailures` of `app.auth.login_throttle`.
COUNT_RECENT = select(
    func.count().filter(_IS_ACCOUNT).label("account_count"),
    _oldest_age(_IS_ACCOUNT).label("oldest_account_failure_age"),
    func.count().filter(_IS_NETWORK).label("network_count"),
    _oldest_age(_IS_NETWORK).label("oldest_network_failure_age"),
    func.count().filter(_IS_SITE).label("site_count"),
    _oldest_age(_IS_SITE).label("oldest_site_failure_age"),
).where(_IS_ACCOUNT | _IS_NETWORK | _IS_SITE, _IS_RECENT)

# Advisory locks, because there may be no row to lock. Every transaction takes them in this order,
# which prevents deadlocks. The seeds keep the locks of accounts, networks and sites apart. There is
# no lock for NULL, the site of an IPv4 address.
LOCK = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("account_key"), 1)),
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("network"), 2)),
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("site"), 3)),
)

# SKIP LOCKED: ignore rows that another transaction is deleting.
EXPIRED_IDS = (
    select(login_failures.c.id)
    .where(~_IS_RECENT)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
DELETE_EXPIRED = delete(login_failures).where(login_failures.c.id.in_(EXPIRED_IDS))


class LoginFailureReader(Reader):
    """Counts failed logins."""

    async def count_recent(
        self, account_key: str, network: str, site: str | None, window: float
    ) -> Row:
        """Count the failures of the account and of the networks; see `COUNT_RECENT`."""
        return await self.fetch_one(
            COUNT_RECENT, account_key=account_key, network=network, site=site, window=window
        )


class LoginFailureWriter(Writer):
    """Stores, counts and deletes failed logins."""

    table = login_failures

    async def lock(self, account_key: str, network: str, site: str | None) -> None:
        """Lock the account and the networks until the transaction ends."""
        values = {"account_key": account_key, "network": network, "site": site}
        await self._transaction.execute(LOCK, values)

    async def count_recent(
        self, account_key: str, network: str, site: str | None, window: float
    ) -> Row:
        """Count the failures of the account and of the networks; see `COUNT_RECENT`."""
        return await self.fetch_one(
            COUNT_RECENT, account_key=account_key, network=network, site=site, window=window
        )

    async def delete_for_account(self, account_key: str) -> None:
        """Delete the failures of an account."""
        statement = delete(login_failures).where(login_failures.c.account == account_key)
        await self._transaction.execute(statement)

    async def delete_expired(self, window: float, limit: int) -> int:
        """Delete up to `limit` failures older than `window` seconds; return how many."""
        values = {"window": window, "limit": limit}
        return (await self._transaction.execute(DELETE_EXPIRED, values)).rowcount
