"""The pool: nothing leaks, nothing hangs, and what breaks is replaced."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Thread

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError, UnprocessableError
from app.settings import Settings
from tests.databases import address_in, connected, settings_for

ANSWER = text("SELECT 1")
SLEEP = text("SELECT pg_sleep(:seconds)")
IN_TRANSACTION = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)
LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def small(settings: Settings) -> AsyncIterator[Database]:
    """A pool of two."""
    limits = {"pool_min_size": 0, "pool_max_size": 2}
    async with Database(settings.database.model_copy(update=limits)) as database:
        yield database


async def sleep(database: Database, seconds: float) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(SLEEP.bindparams(seconds=seconds))


async def assert_whole(database: Database) -> None:
    """No connection of the pool is inside a transaction, and both can be had at once."""
    assert (await Reader(database).fetch_one(IN_TRANSACTION))[0] == 0
    async with database.transaction() as first, database.transaction() as second:
        await first.execute(ANSWER)
        await second.execute(ANSWER)


async def test_who_waits_too_long_for_a_connection_is_told_so(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": 0.1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        async with database.transaction() as transaction:
            await transaction.execute(ANSWER)
            for work in (Reader(database).fetch_one(ANSWER), sleep(database, 0)):
                with pytest.raises(UnavailableError, match="Timed out"):
                    await work
        assert (await Reader(database).fetch_one(ANSWER))[0] == 1


async def test_those_who_wait_are_served_in_turn(small: Database) -> None:
    reader, served = Reader(small), list[str]()

    async def read(name: str, times: int) -> None:
        for _ in range(times):
            await reader.fetch_one(SLEEP, seconds=0.01)
            served.append(name)

    greedy = [asyncio.create_task(read("greedy", 10)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.gather(*[read("patient", 1) for _ in range(4)])
    assert served.count("greedy") <= 6
    await asyncio.gather(*greedy)


async def test_cancelling_at_any_moment_loses_no_connection(small: Database) -> None:
    random.seed(1)
    for number in range(60):
        work = sleep(small, 0.005) if number % 2 else Reader(small).fetch_one(ANSWER)
        task = asyncio.ensure_future(work)
        await asyncio.sleep(random.random() * 0.01)  # noqa: S311 - no secret
        task.cancel()
        await asyncio.wait([task])
    await assert_whole(small)


class GivenUp:
    """A value at which a task is cancelled: its statement is prepared by then, and has not run."""

    def __index__(self) -> int:
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("limit", "error"), [(GivenUp(), asyncio.CancelledError), ("x", UnprocessableError)]
)
async def test_a_read_that_comes_to_nothing_keeps_no_lock(
    small: Database, settings: Settings, limit: object, error: type[BaseException]
) -> None:
    statement = text("SELECT relpages FROM pg_class LIMIT :limit")
    with pytest.raises(error):
        await Reader(small).fetch_all(statement, limit=limit)
    async with connected(address_in(settings)) as connection:
        # One that gives it up by ending takes a moment.
        async with asyncio.timeout(20):
            while await connection.fetchval(LOCKS) > 0:
                pass


async def test_connections_that_the_server_closed_are_replaced(
    small: Database, settings: Settings
) -> None:
    reader = Reader(small)
    for _ in range(2):
        await assert_whole(small)
        await terminate_others(settings)
        for _ in range(4):
            assert (await reader.fetch_one(ANSWER))[0] == 1
        await terminate_others(settings)
        await sleep(small, 0)


async def test_a_process_that_was_busy_meanwhile_knows_that_they_are_closed(
    small: Database, settings: Settings
) -> None:
    await assert_whole(small)
    other = Thread(target=lambda: asyncio.run(terminate_others(settings)))
    other.start()
    # Nothing is read from the sockets here until it is over.
    other.join()
    reader = Reader(small)
    rows = await asyncio.gather(reader.fetch_one(ANSWER), reader.fetch_one(ANSWER))
    assert [row[0] for row in rows] == [1, 1]


async def test_reads_while_connections_are_closed_succeed_or_are_told_so(
    small: Database, settings: Settings
) -> None:
    reader = Reader(small)

    async def read() -> None:
        for _ in range(20):
            with suppress(UnavailableError):
                await reader.fetch_one(ANSWER)

    for _ in range(8):
        await asyncio.gather(read(), read(), terminate_others(settings))
    await assert_whole(small)


async def test_a_connection_that_breaks_in_a_transaction_is_reported(
    small: Database, settings: Settings
) -> None:
    async def killed() -> None:
        async with small.transaction() as transaction:
            await transaction.execute(ANSWER)
            await terminate_others(settings)
            await transaction.execute(ANSWER)

    with pytest.raises(UnavailableError):
        await killed()
    await assert_whole(small)


async def test_closing_does_not_wait_for_ever(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.abstract_database._CLOSE_TIMEOUT", 0.1)
    async with asyncio.timeout(20):
        # The statement goes on when the connection has been dropped, until its database is.
        async with Database(settings_for(empty_database)) as database:
            task = asyncio.create_task(sleep(database, 25))
            await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])


async def test_a_transaction_pooler_gets_whole_transactions(settings: Settings) -> None:
    pooled = settings.database.model_copy(update={"pooler": "pgbouncer"})
    async with Database(pooled) as database:
        for _ in range(2):
            assert (await Reader(database).fetch_one(ANSWER))[0] == 1
            await sleep(database, 0)
        # None is kept but the one that looks.
        statements = text(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%prepared%'"
        )
        assert (await Reader(database).fetch_one(statements))[0] == 0


async def terminate_others(settings: Settings) -> None:
    """Kill every other connection to this database, and give the client a moment to notice."""
    async with connected(address_in(settings)) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await asyncio.sleep(0.05)
