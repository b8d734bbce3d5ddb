"""The unit of work: all of it or nothing, and nothing said before it is certain."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import BackgroundTasks, FastAPI
from httpx2 import AsyncClient
from sqlalchemy import text

from app.api.dependencies import DatabaseDep, TransactionDep
from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError, RetryableError
from app.main import create_app
from app.settings import DatabaseSettings, Settings
from tests.databases import address_in, connected
from tests.isolation import isolated

INSERT = text("INSERT INTO probe VALUES (1)")
COUNT = text("SELECT count(*) FROM probe")


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """The application, to which each test adds a route."""
    return create_app(settings)


@pytest.fixture(autouse=True)
async def probe(settings: Settings) -> AsyncIterator[None]:
    """A table whose uniqueness is checked at the commit."""
    async with connected(address_in(settings)) as connection:
        await connection.execute(
            "CREATE TABLE probe (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)"
        )
        yield
        await connection.execute("DROP TABLE probe")


async def rows(database: Database) -> int:
    row = await Reader(database).fetch_one(COUNT)
    return int(row[0])


async def test_what_a_block_does_is_there_when_it_ends(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT)
        assert await rows(database) == 0
    assert await rows(database) == 1


async def test_nothing_is_there_when_it_raises(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT)
            raise ZeroDivisionError
    assert await rows(database) == 0


async def test_nothing_is_there_when_it_is_cancelled(database: Database) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), database.transaction() as transaction:
            await transaction.execute(INSERT)
            await transaction.execute(text("SELECT pg_sleep(10)"))
    assert await rows(database) == 0


async def test_a_commit_that_fails_raises_and_leaves_nothing(database: Database) -> None:
    with pytest.raises(AlreadyExistsError):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT)
            await transaction.execute(INSERT)
    assert await rows(database) == 0


async def test_a_commit_that_fails_is_not_answered_with_success(
    app: FastAPI, committing_client: AsyncClient, database: Database
) -> None:
    @app.post("/probe", status_code=201)
    async def create(transaction: TransactionDep) -> str:
        await transaction.execute(INSERT)
        await transaction.execute(INSERT)
        return "created"

    response = await committing_client.post("/probe")
    assert response.status_code == 409
    assert await rows(database) == 0


async def test_what_commits_in_isolation_is_seen_there_and_gone_afterwards(
    database: Database,
) -> None:
    async with isolated(database) as alone:
        async with alone.transaction() as transaction:
            await transaction.execute(INSERT)
        with pytest.raises(ZeroDivisionError):
            async with alone.transaction() as transaction:
                await transaction.execute(INSERT)
                raise ZeroDivisionError
        assert await rows(alone) == 1
    assert await rows(database) == 0


async def test_a_request_that_fails_leaves_nothing(
    app: FastAPI, committing_client: AsyncClient, database: Database
) -> None:
    @app.post("/probe")
    async def fail(transaction: TransactionDep) -> None:
        await transaction.execute(INSERT)
        raise ZeroDivisionError

    assert (await committing_client.post("/probe")).status_code == 500
    assert await rows(database) == 0


async def test_a_request_that_is_refused_takes_no_connection(
    app: FastAPI, committing_client: AsyncClient
) -> None:
    @app.post("/probe/{number}")
    async def create(number: int, transaction: TransactionDep) -> int:
        await transaction.execute(INSERT)
        return number

    async with Database(
        DatabaseSettings(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=1, POSTGRES_USER="me")
    ) as app.state.database:
        assert (await committing_client.post("/probe/x")).status_code == 422
        assert (await committing_client.post("/probe/1")).status_code == 503


async def test_work_after_the_response_holds_no_connection(
    app: FastAPI, committing_client: AsyncClient, settings: Settings
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work(database: Database) -> None:
        begun.set()
        await may_end.wait()
        async with database.transaction() as transaction:
            await transaction.execute(text("INSERT INTO probe VALUES (2)"))

    @app.post("/probe")
    async def create(
        transaction: TransactionDep, database: DatabaseDep, tasks: BackgroundTasks
    ) -> None:
        await transaction.execute(INSERT)
        tasks.add_task(work, database)

    limits = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": 1}
    async with Database(settings.database.model_copy(update=limits)) as app.state.database:
        request = asyncio.create_task(committing_client.post("/probe"))
        await begun.wait()
        assert await rows(app.state.database) == 1
        may_end.set()
        assert (await request).status_code == 200
        assert await rows(app.state.database) == 2


@pytest.mark.parametrize("pooler", ["none", "pgbouncer"])
async def test_a_reader_writes_nothing(settings: Settings, pooler: str) -> None:
    limits = settings.database.model_copy(update={"pooler": pooler})
    async with Database(limits) as database:
        with pytest.raises(Exception, match="read-only transaction"):
            await Reader(database).fetch_all(text("INSERT INTO probe VALUES (1) RETURNING id"))
        assert await rows(database) == 0


async def test_statements_at_the_same_time_each_have_a_connection(database: Database) -> None:
    pid = text("SELECT pg_backend_pid(), pg_sleep(0.1)")
    found = await asyncio.gather(*(Reader(database).fetch_one(pid) for _ in range(3)))
    assert len({row[0] for row in found}) == 3


async def test_work_that_gave_way_is_done_again(database: Database) -> None:
    attempts = 0

    async def work(transaction: TransactionDep) -> str:
        nonlocal attempts
        attempts += 1
        await transaction.execute(INSERT)
        if attempts < 4:
            await transaction.execute(text("DO $$BEGIN RAISE SQLSTATE '40001'; END$$"))
        return "done"

    assert await database.run(work) == "done"
    assert (attempts, await rows(database)) == (4, 1)


async def test_work_that_always_gives_way_fails_in_the_end(database: Database) -> None:
    async def work(transaction: TransactionDep) -> None:
        await transaction.execute(text("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$"))

    with pytest.raises(RetryableError):
        await database.run(work)


async def test_a_database_that_is_not_open_says_so(settings: Settings) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        async with Database(settings.database).transaction() as transaction:
            await transaction.execute(INSERT)
