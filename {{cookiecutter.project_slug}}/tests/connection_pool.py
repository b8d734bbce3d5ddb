"""Queries and checks for tests of the connection pool."""

from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader

SELECT_1 = text("SELECT 1")
SLEEP = text("SELECT pg_sleep(:seconds)")
IN_TRANSACTION = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)


async def sleep(database: Database, seconds: float) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(SLEEP.bindparams(seconds=seconds))


async def assert_intact(database: Database) -> None:
    """Check that no connection is in a transaction, and that both can be used at the same time."""
    assert (await Reader(database).fetch_one(IN_TRANSACTION))[0] == 0
    async with database.transaction() as first, database.transaction() as second:
        await first.execute(SELECT_1)
        await second.execute(SELECT_1)
