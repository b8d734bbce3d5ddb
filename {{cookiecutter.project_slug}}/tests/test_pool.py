"""The pool: no connection is lost, and waits are limited."""

import asyncio
import random

import pytest
from asyncpg import DataError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import Settings
from tests.connection_pool import SELECT_1, SLEEP, assert_intact, sleep
from tests.databases import connected, database_settings, url_from
from tests.waiting import wait_until

HAS_NO_LOCKS = """
SELECT count(*) = 0 FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def test_pool_timeout_raises_unavailable(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": 0.1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        async with database.transaction() as transaction:
            await transaction.execute(SELECT_1)
            for work in (Reader(database).fetch_one(SELECT_1), sleep(database, 0)):
                with pytest.raises(UnavailableError, match="Timed out"):
                    await work
        assert (await Reader(database).fetch_one(SELECT_1))[0] == 1


async def test_waiters_are_served_in_order_of_arrival(pool_of_two: Database) -> None:
    reader, served = Reader(pool_of_two), list[str]()

    async def read(name: str, times: int) -> None:
        for _ in range(times):
            await reader.fetch_one(SLEEP, seconds=0.01)
            served.append(name)

    greedy = [asyncio.create_task(read("greedy", 10)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.gather(*[read("patient", 1) for _ in range(4)])
    # In order of arrival, a greedy read has to wait for the patient reads before it. If the greedy
    # tasks kept their connections, there would be 20.
    assert served.count("greedy") <= 6
    await asyncio.gather(*greedy)


async def test_cancellation_loses_no_connection(pool_of_two: Database) -> None:
    random.seed(1)
    for number in range(60):
        work = sleep(pool_of_two, 0.005) if number % 2 else Reader(pool_of_two).fetch_one(SELECT_1)
        task = asyncio.ensure_future(work)
        await asyncio.sleep(random.random() * 0.01)  # noqa: S311 - not a secret
        task.cancel()
        await asyncio.wait([task])
    await assert_intact(pool_of_two)


class CancellingValue:
    """Value that cancels the task when asyncpg encodes it, before it executes the statement."""

    def __index__(self) -> int:
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("limit", "error"),
    # An error of asyncpg, which SQLAlchemy may have wrapped.
    [(CancellingValue(), asyncio.CancelledError), ("x", (DataError, DBAPIError))],
)
async def test_interrupted_read_releases_its_locks(
    pool_of_two: Database,
    settings: Settings,
    limit: object,
    error: type[BaseException] | tuple[type[BaseException], ...],
) -> None:
    statement = text("SELECT relpages FROM pg_class LIMIT :limit")
    with pytest.raises(error):
        await Reader(pool_of_two).fetch_all(statement, limit=limit)
    async with connected(url_from(settings)) as connection:
        # A terminated connection releases its locks when its server process exits.
        await wait_until(lambda: connection.fetchval(HAS_NO_LOCKS))


async def test_closing_has_a_timeout(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.db.abstract_database._CLOSE_TIMEOUT", 0.1)
    async with asyncio.timeout(20):
        # The server keeps running the statement after the connection is terminated, until the
        # fixture drops its database.
        async with Database(database_settings(empty_database)) as database:
            task = asyncio.create_task(sleep(database, 25))
            await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])


async def test_transaction_pooler_disables_prepared_statements(settings: Settings) -> None:
    pooled = settings.database.model_copy(update={"pooler": "pgbouncer"})
    async with Database(pooled) as database:
        for _ in range(2):
            assert (await Reader(database).fetch_one(SELECT_1))[0] == 1
            await sleep(database, 0)
        # Does not count this statement itself.
        statements = text(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%prepared%'"
        )
        assert (await Reader(database).fetch_one(statements))[0] == 0
