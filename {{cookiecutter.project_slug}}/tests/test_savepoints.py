"""Savepoints: an error undoes only a part of a transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import bindparam, text

from app.api.dependencies import TransactionDep
from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError
from app.main import create_app
from app.settings import Settings
from tests.connection_pool import SLEEP, assert_intact
from tests.databases import connected, url_from

INSERT = text("INSERT INTO probe VALUES (:id)").bindparams(bindparam("id"))
SELECT = text("SELECT id FROM probe ORDER BY id")


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return an application to which a test adds a route."""
    return create_app(settings)


@pytest.fixture(autouse=True)
async def probe(settings: Settings) -> AsyncIterator[None]:
    """Create a table with a unique column."""
    async with connected(url_from(settings)) as connection:
        await connection.execute("CREATE TABLE probe (id integer UNIQUE)")
        yield
        await connection.execute("DROP TABLE probe")


async def stored_ids(database: Database) -> list[int]:
    return [row.id for row in await Reader(database).fetch_all(SELECT)]


async def test_savepoint_is_committed_with_its_transaction(database: Database) -> None:
    async with database.transaction() as transaction:
        async with transaction.savepoint():
            await transaction.execute(INSERT, {"id": 1})
        assert await stored_ids(database) == []
    assert await stored_ids(database) == [1]


async def test_exception_undoes_only_the_savepoint(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT, {"id": 1})
        with pytest.raises(ZeroDivisionError):
            async with transaction.savepoint():
                await transaction.execute(INSERT, {"id": 2})
                raise ZeroDivisionError
        await transaction.execute(INSERT, {"id": 3})
    assert await stored_ids(database) == [1, 3]


async def test_failed_statement_undoes_only_the_savepoint(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT, {"id": 1})
        for _ in range(2):
            with pytest.raises(AlreadyExistsError):
                async with transaction.savepoint():
                    await transaction.execute(INSERT, {"id": 2})
                    await transaction.execute(INSERT, {"id": 1})
        await transaction.execute(INSERT, {"id": 3})
    assert await stored_ids(database) == [1, 3]


async def test_savepoints_nest(database: Database) -> None:
    async with database.transaction() as transaction:
        with pytest.raises(ZeroDivisionError):
            async with transaction.savepoint():
                await transaction.execute(INSERT, {"id": 1})
                with pytest.raises(AlreadyExistsError):
                    async with transaction.savepoint():
                        await transaction.execute(INSERT, {"id": 1})
                await transaction.execute(INSERT, {"id": 2})
                raise ZeroDivisionError
        async with transaction.savepoint(), transaction.savepoint():
            await transaction.execute(INSERT, {"id": 3})
    assert await stored_ids(database) == [3]


async def test_cancelled_statement_undoes_only_the_savepoint(pool_of_two: Database) -> None:
    async with pool_of_two.transaction() as transaction:
        await transaction.execute(INSERT, {"id": 1})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), transaction.savepoint():
                await transaction.execute(INSERT, {"id": 2})
                await transaction.execute(SLEEP, {"seconds": 10})
        await transaction.execute(INSERT, {"id": 3})
    assert await stored_ids(pool_of_two) == [1, 3]
    await assert_intact(pool_of_two)


async def test_suppressed_error_undoes_only_the_savepoint(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT, {"id": 1})
        for _ in range(2):
            with pytest.raises(RuntimeError, match="savepoint was rolled back because an earlier"):
                async with transaction.savepoint():
                    await transaction.execute(INSERT, {"id": 2})
                    with suppress(AlreadyExistsError):
                        await transaction.execute(INSERT, {"id": 1})
        async with transaction.savepoint():
            with pytest.raises(RuntimeError, match="savepoint was rolled back because an earlier"):
                async with transaction.savepoint():
                    await transaction.execute(INSERT, {"id": 3})
                    with suppress(Exception):
                        await transaction.execute(text("SELECT 1 / 0"))
            await transaction.execute(INSERT, {"id": 4})
        await transaction.execute(INSERT, {"id": 5})
    assert await stored_ids(database) == [1, 4, 5]


async def test_statement_after_suppressed_error_fails(database: Database) -> None:
    async with database.transaction() as transaction:
        with pytest.raises(Exception, match="current transaction is aborted"):
            async with transaction.savepoint():
                with suppress(Exception):
                    await transaction.execute(text("SELECT 1 / 0"))
                await transaction.execute(INSERT, {"id": 1})
        await transaction.execute(INSERT, {"id": 2})
    assert await stored_ids(database) == [2]


async def test_suppressed_cancellation_undoes_only_the_savepoint(pool_of_two: Database) -> None:
    async with pool_of_two.transaction() as transaction:
        with pytest.raises(RuntimeError, match="savepoint was rolled back because an earlier"):
            async with transaction.savepoint():
                await transaction.execute(INSERT, {"id": 1})
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await transaction.execute(SLEEP, {"seconds": 10})
        await transaction.execute(INSERT, {"id": 2})
    assert await stored_ids(pool_of_two) == [2]
    await assert_intact(pool_of_two)


async def test_error_is_caught_at_its_statement_in_a_route(
    app: FastAPI, committing_client: AsyncClient, database: Database
) -> None:
    @app.put("/probe/{number}")
    async def get_or_create(number: int, transaction: TransactionDep) -> str:
        try:
            async with transaction.savepoint():
                await transaction.execute(INSERT, {"id": number})
        except AlreadyExistsError:
            return "found"
        return "created"

    assert (await committing_client.put("/probe/1")).json() == "created"
    assert (await committing_client.put("/probe/1")).json() == "found"
    assert await stored_ids(database) == [1]


async def test_savepoint_of_ended_transaction_raises(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT, {"id": 1})
    with pytest.raises(RuntimeError, match=r"database\.run"):
        async with transaction.savepoint():
            pytest.fail("The block must not run.")
