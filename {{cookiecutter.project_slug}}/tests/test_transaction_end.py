"""An ended transaction cannot be used, and neither can its writers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from fastapi import BackgroundTasks, FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text

from app.api.dependencies import TransactionDep
from app.db import Database, Transaction
from app.main import create_app
from app.settings import Settings
from tests.connection_pool import SELECT_1, assert_intact
from tests.databases import connected, url_from
from tests.isolation import ThingWriter
from tests.waiting import wait_until

COUNT = "SELECT count(*) FROM things_of_tests"
IS_WAITING = (
    "SELECT count(*) > 0 FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
PID = text("SELECT pg_backend_pid()")
ENDED = r"database\.run"


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return an application to which each test adds a route."""
    return create_app(settings)


@pytest.fixture(autouse=True)
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Create the table of `ThingWriter`, yield a connection of no pool, and drop the table."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(
            "CREATE TABLE things_of_tests (id uuid PRIMARY KEY DEFAULT uuidv7(),"
            " name text NOT NULL, note text, created_at timestamptz NOT NULL DEFAULT now())"
        )
        yield connection
        await connection.execute("DROP TABLE things_of_tests")


async def set_savepoint(transaction: Transaction) -> None:
    async with transaction.savepoint():
        pass


USES: list[Callable[[Transaction], Any]] = [
    lambda transaction: transaction.execute(SELECT_1),
    lambda transaction: transaction.scalar(SELECT_1),
    lambda transaction: transaction.scalars(SELECT_1),
    lambda transaction: transaction.fetch_all(SELECT_1),
    lambda transaction: transaction.fetch_one(SELECT_1),
    lambda transaction: transaction.fetch_one_or_none(SELECT_1),
    set_savepoint,
    lambda transaction: ThingWriter(transaction).create(name="lost"),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("has_begun", [True, False])
@pytest.mark.parametrize("is_committed", [True, False])
async def test_ended_transaction_cannot_be_used(
    pool_of_two: Database, use: Callable[[Transaction], Any], has_begun: bool, is_committed: bool
) -> None:
    with suppress(ZeroDivisionError):
        async with pool_of_two.transaction() as transaction:
            if has_begun:
                await transaction.execute(SELECT_1)
            if not is_committed:
                raise ZeroDivisionError
    for _ in range(3):
        with pytest.raises(RuntimeError, match=ENDED):
            await use(transaction)
    await assert_intact(pool_of_two)


async def test_transaction_cannot_be_used_after_failed_commit(pool_of_two: Database) -> None:
    with pytest.raises(RuntimeError, match="rolled back"):
        async with pool_of_two.transaction() as transaction:
            with suppress(Exception):
                await transaction.execute(text("SELECT 1 / 0"))
    with pytest.raises(RuntimeError, match=ENDED):
        await transaction.execute(SELECT_1)
    await assert_intact(pool_of_two)


async def test_writer_in_background_task_raises(
    app: FastAPI,
    committing_client: AsyncClient,
    pool_of_two: Database,
    connection: asyncpg.Connection,
) -> None:
    @app.post("/probe")
    async def create(transaction: TransactionDep, tasks: BackgroundTasks) -> None:
        things = ThingWriter(transaction)
        await things.create(name="stored")
        tasks.add_task(things.create, name="lost")

    app.state.database = pool_of_two
    for number in range(1, 4):
        with pytest.raises(RuntimeError, match=ENDED):
            await committing_client.post("/probe")
        assert await connection.fetchval(COUNT) == number
    await assert_intact(pool_of_two)


async def test_task_that_outlives_its_request_raises(
    app: FastAPI,
    committing_client: AsyncClient,
    pool_of_two: Database,
    connection: asyncpg.Connection,
) -> None:
    tasks, may_continue = list[asyncio.Task[Any]](), asyncio.Event()

    @app.post("/probe")
    async def create(transaction: TransactionDep) -> None:
        async def work() -> None:
            await may_continue.wait()
            await ThingWriter(transaction).create(name="lost")

        tasks.append(asyncio.create_task(work()))

    app.state.database = pool_of_two
    assert (await committing_client.post("/probe")).status_code == 200
    may_continue.set()
    with pytest.raises(RuntimeError, match=ENDED):
        await tasks[0]
    assert await connection.fetchval(COUNT) == 0
    await assert_intact(pool_of_two)


@pytest.mark.parametrize("has_begun", [True, False])
async def test_statement_that_is_running_at_the_end_raises(
    pool_of_two: Database, connection: asyncpg.Connection, has_begun: bool
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE things_of_tests")
        # The end of the transaction may fail too, because the connection is in use.
        with suppress(Exception):
            async with pool_of_two.transaction() as transaction:
                if has_begun:
                    await transaction.execute(SELECT_1)
                inserting = asyncio.create_task(ThingWriter(transaction).create(name="lost"))
                await wait_until(lambda: connection.fetchval(IS_WAITING))
    await asyncio.wait([inserting])
    assert inserting.exception() is not None
    assert await connection.fetchval(COUNT) == 0
    await assert_intact(pool_of_two)


@pytest.mark.parametrize("is_committed", [True, False])
async def test_statement_that_waits_for_a_connection_at_the_end_raises(
    pool_of_two: Database, connection: asyncpg.Connection, is_committed: bool
) -> None:
    async with pool_of_two.transaction() as first, pool_of_two.transaction() as second:
        await first.execute(SELECT_1)
        await second.execute(SELECT_1)
        with suppress(ZeroDivisionError):
            async with pool_of_two.transaction() as transaction:
                inserting = asyncio.create_task(ThingWriter(transaction).create(name="lost"))
                await asyncio.sleep(0)
                if not is_committed:
                    raise ZeroDivisionError
    with pytest.raises(RuntimeError, match=ENDED):
        await inserting
    assert await connection.fetchval(COUNT) == 0
    await assert_intact(pool_of_two)


async def test_connection_is_not_reused_while_a_statement_runs(
    pool_of_two: Database, connection: asyncpg.Connection
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE things_of_tests")
        async with pool_of_two.connection() as borrowed:
            pid = await borrowed.scalar(PID)
            counting = asyncio.create_task(borrowed.execute(text(COUNT)))
            await wait_until(lambda: connection.fetchval(IS_WAITING))
        async with pool_of_two.transaction() as first, pool_of_two.transaction() as second:
            assert pid not in {await first.scalar(PID), await second.scalar(PID)}
    await asyncio.wait([counting])
