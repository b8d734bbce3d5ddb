"""The pool: no connection is lost, waits are limited, and broken connections are replaced."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Thread
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError, UnprocessableError
from app.settings import Settings
from tests.databases import connected, database_settings, url_from
from tests.waiting import wait_until

SELECT_1 = text("SELECT 1")
PID = text("SELECT pg_backend_pid()")
SLEEP = text("SELECT pg_sleep(:seconds)")
IN_TRANSACTION = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)
HAS_NO_LOCKS = """
SELECT count(*) = 0 FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def pool_of_two(settings: Settings) -> AsyncIterator[Database]:
    """Yield a database with a pool of two connections."""
    limits = {"pool_min_size": 0, "pool_max_size": 2}
    async with Database(settings.database.model_copy(update=limits)) as database:
        yield database


async def sleep(database: Database, seconds: float) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(SLEEP.bindparams(seconds=seconds))


async def assert_intact(database: Database) -> None:
    """Check that no connection is in a transaction, and that both can be used at the same time."""
    assert (await Reader(database).fetch_one(IN_TRANSACTION))[0] == 0
    async with database.transaction() as first, database.transaction() as second:
        await first.execute(SELECT_1)
        await second.execute(SELECT_1)


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
    ("limit", "error"), [(CancellingValue(), asyncio.CancelledError), ("x", UnprocessableError)]
)
async def test_interrupted_read_releases_its_locks(
    pool_of_two: Database, settings: Settings, limit: object, error: type[BaseException]
) -> None:
    statement = text("SELECT relpages FROM pg_class LIMIT :limit")
    with pytest.raises(error):
        await Reader(pool_of_two).fetch_all(statement, limit=limit)
    async with connected(url_from(settings)) as connection:
        # A terminated connection releases its locks when its server process exits.
        await wait_until(lambda: connection.fetchval(HAS_NO_LOCKS))


async def test_connections_closed_by_server_are_replaced(
    pool_of_two: Database, settings: Settings
) -> None:
    reader = Reader(pool_of_two)
    for _ in range(2):
        await assert_intact(pool_of_two)
        await terminate_others(settings)
        for _ in range(4):
            assert (await reader.fetch_one(SELECT_1))[0] == 1
        await terminate_others(settings)
        await sleep(pool_of_two, 0)


async def test_closed_connections_are_detected_after_event_loop_was_blocked(
    pool_of_two: Database, settings: Settings
) -> None:
    await assert_intact(pool_of_two)
    thread = Thread(target=lambda: asyncio.run(terminate_others(settings)))
    thread.start()
    # Blocks the event loop, so that it cannot notice that the server closes the connections.
    thread.join()
    reader = Reader(pool_of_two)
    rows = await asyncio.gather(reader.fetch_one(SELECT_1), reader.fetch_one(SELECT_1))
    assert [row[0] for row in rows] == [1, 1]


async def test_reads_during_termination_succeed_or_raise_unavailable(
    pool_of_two: Database, settings: Settings
) -> None:
    reader = Reader(pool_of_two)

    async def read() -> None:
        for _ in range(20):
            with suppress(UnavailableError):
                await reader.fetch_one(SELECT_1)

    for _ in range(8):
        await asyncio.gather(read(), read(), terminate_others(settings))
    await assert_intact(pool_of_two)


async def test_connection_lost_in_transaction_raises_unavailable(
    pool_of_two: Database, settings: Settings
) -> None:
    async def lose_connection() -> None:
        async with pool_of_two.transaction() as transaction:
            await transaction.execute(SELECT_1)
            await terminate_others(settings)
            await transaction.execute(SELECT_1)

    with pytest.raises(UnavailableError):
        await lose_connection()
    await assert_intact(pool_of_two)


async def test_connection_that_fails_to_roll_back_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = asyncpg.Connection.execute

    async def fail_to_roll_back(self: asyncpg.Connection, query: str, *args: Any) -> str:
        if query.startswith("ROLLBACK"):
            raise TimeoutError
        return await execute(self, query, *args)

    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        first = (await Reader(database).fetch_one(PID))[0]
        with monkeypatch.context() as patch:
            patch.setattr(asyncpg.Connection, "execute", fail_to_roll_back)
            with pytest.raises(ZeroDivisionError):
                async with database.transaction() as transaction:
                    await transaction.execute(SELECT_1)
                    raise ZeroDivisionError
        async with database.transaction() as transaction:
            assert await transaction.scalar(PID) != first


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


async def terminate_others(settings: Settings) -> None:
    """Terminate every other connection to this database."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    # Give the clients time to notice.
    await asyncio.sleep(0.05)
