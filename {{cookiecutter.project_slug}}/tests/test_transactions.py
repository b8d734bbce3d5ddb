"""Transactions are committed before the response, or rolled back completely."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import BackgroundTasks, FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text

from app.api.dependencies import DatabaseDep, TransactionDep
from app.db import Database, Transaction
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError, RetryableError
from app.main import create_app
from app.settings import Settings
from tests.databases import connected, url_from
from tests.isolation import isolated
from tests.openapi_contract import UNREACHABLE

INSERT = text("INSERT INTO probe VALUES (1)")
COUNT = text("SELECT count(*) FROM probe")


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return an application to which each test adds a route."""
    return create_app(settings)


@pytest.fixture(autouse=True)
async def probe(settings: Settings) -> AsyncIterator[None]:
    """Create a table whose unique constraint is checked at the commit."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(
            "CREATE TABLE probe (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)"
        )
        yield
        await connection.execute("DROP TABLE probe")


async def count_rows(database: Database) -> int:
    return int((await Reader(database).fetch_one(COUNT))[0])


async def test_transaction_commits_at_end_of_block(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT)
        assert await count_rows(database) == 0
    assert await count_rows(database) == 1


async def test_exception_rolls_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT)
            raise ZeroDivisionError
    assert await count_rows(database) == 0


async def test_cancellation_rolls_back(database: Database) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), database.transaction() as transaction:
            await transaction.execute(INSERT)
            await transaction.execute(text("SELECT pg_sleep(10)"))
    assert await count_rows(database) == 0


async def test_failed_commit_raises_and_stores_nothing(database: Database) -> None:
    with pytest.raises(AlreadyExistsError):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT)
            await transaction.execute(INSERT)
    assert await count_rows(database) == 0


async def test_failed_commit_is_an_error_response(
    app: FastAPI, committing_client: AsyncClient, database: Database
) -> None:
    @app.post("/probe", status_code=201)
    async def create(transaction: TransactionDep) -> str:
        await transaction.execute(INSERT)
        await transaction.execute(INSERT)
        return "created"

    response = await committing_client.post("/probe")
    assert response.status_code == 409
    assert await count_rows(database) == 0


async def test_isolated_database_rolls_back_commits_at_the_end(database: Database) -> None:
    async with isolated(database) as isolated_database:
        async with isolated_database.transaction() as transaction:
            await transaction.execute(INSERT)
        with pytest.raises(ZeroDivisionError):
            async with isolated_database.transaction() as transaction:
                await transaction.execute(INSERT)
                raise ZeroDivisionError
        assert await count_rows(isolated_database) == 1
    assert await count_rows(database) == 0


async def test_failed_request_stores_nothing(
    app: FastAPI, committing_client: AsyncClient, database: Database
) -> None:
    @app.post("/probe")
    async def fail(transaction: TransactionDep) -> None:
        await transaction.execute(INSERT)
        raise ZeroDivisionError

    assert (await committing_client.post("/probe")).status_code == 500
    assert await count_rows(database) == 0


async def test_invalid_request_borrows_no_connection(
    app: FastAPI, committing_client: AsyncClient
) -> None:
    @app.post("/probe/{number}")
    async def create(number: int, transaction: TransactionDep) -> int:
        await transaction.execute(INSERT)
        return number

    # Only a request that needs a connection notices that the database is unreachable.
    async with Database(UNREACHABLE.database) as database:
        app.state.database = database
        assert (await committing_client.post("/probe/x")).status_code == 422
        assert (await committing_client.post("/probe/1")).status_code == 503


async def test_background_task_starts_after_connection_is_returned(
    app: FastAPI, committing_client: AsyncClient, settings: Settings
) -> None:
    started, may_finish = asyncio.Event(), asyncio.Event()

    async def work(database: Database) -> None:
        started.set()
        await may_finish.wait()
        async with database.transaction() as transaction:
            await transaction.execute(text("INSERT INTO probe VALUES (2)"))

    @app.post("/probe")
    async def create(
        transaction: TransactionDep, database: DatabaseDep, tasks: BackgroundTasks
    ) -> None:
        await transaction.execute(INSERT)
        tasks.add_task(work, database)

    limits = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": 1}
    async with Database(settings.database.model_copy(update=limits)) as one_connection:
        app.state.database = one_connection
        request = asyncio.create_task(committing_client.post("/probe"))
        await started.wait()
        assert await count_rows(one_connection) == 1
        may_finish.set()
        assert (await request).status_code == 200
        assert await count_rows(one_connection) == 2


@pytest.mark.parametrize("pooler", ["none", "pgbouncer"])
async def test_reader_is_read_only(settings: Settings, pooler: str) -> None:
    pooled = settings.database.model_copy(update={"pooler": pooler})
    async with Database(pooled) as database:
        with pytest.raises(Exception, match="read-only transaction"):
            await Reader(database).fetch_all(text("INSERT INTO probe VALUES (1) RETURNING id"))
        assert await count_rows(database) == 0


async def test_concurrent_reads_use_separate_connections(database: Database) -> None:
    pid = text("SELECT pg_backend_pid(), pg_sleep(0.1)")
    rows = await asyncio.gather(*(Reader(database).fetch_one(pid) for _ in range(3)))
    assert len({row[0] for row in rows}) == 3


async def test_run_retries_serialization_failures(database: Database) -> None:
    attempts = 0

    async def work(transaction: Transaction) -> str:
        nonlocal attempts
        attempts += 1
        await transaction.execute(INSERT)
        if attempts < 4:
            await transaction.execute(text("DO $$BEGIN RAISE SQLSTATE '40001'; END$$"))
        return "done"

    assert await database.run(work) == "done"
    assert (attempts, await count_rows(database)) == (4, 1)


async def test_run_raises_after_last_retry(database: Database) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.execute(text("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$"))

    with pytest.raises(RetryableError):
        await database.run(work)


async def test_database_that_is_not_open_raises(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        async with Database(settings.database).transaction() as transaction:
            await transaction.execute(INSERT)
