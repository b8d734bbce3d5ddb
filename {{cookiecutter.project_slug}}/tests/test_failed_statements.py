"""Statements that fail or are cancelled leave all connections usable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError, NotFoundError
from app.settings import Settings
from tests.connection_pool import SLEEP
from tests.databases import connected, created_tables, url_from
from tests.isolation import ThingWriter, things_metadata

INSERT = text("INSERT INTO things_of_tests (name) VALUES ('a')")
CONVERT_MOOD = text("SELECT CAST(CAST(:mood AS mood) AS text)")
COUNT = text("SELECT count(*) FROM things_of_tests")


@pytest.fixture(autouse=True)
async def table(settings: Settings) -> AsyncIterator[None]:
    """Create the table of `ThingWriter`, and drop it after the test."""
    async with created_tables(url_from(settings), things_metadata):
        yield


async def count_rows(database: Database) -> int:
    return int((await Reader(database).fetch_one(COUNT))[0])


async def test_error_is_translated_at_its_statement(database: Database) -> None:
    with pytest.raises(NotFoundError):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT)
            with pytest.raises(AlreadyExistsError):
                await transaction.execute(INSERT)
            raise NotFoundError


async def test_connection_of_failed_statement_can_be_used(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        async with database.connection() as connection:
            with pytest.raises(Exception, match="missing_table"):
                await connection.execute(text("SELECT 1 FROM missing_table"))
        async with database.transaction() as transaction:
            await ThingWriter(transaction).create(name="a")
        assert await count_rows(database) == 1


async def test_connection_of_cancelled_statement_can_be_used(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        async with database.connection() as connection:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await connection.execute(SLEEP, {"seconds": 10})
        async with database.transaction() as transaction:
            await ThingWriter(transaction).create(name="a")
        assert await count_rows(database) == 1


async def test_recreated_type_fails_at_most_one_transaction(settings: Settings) -> None:
    one_connection = settings.database.model_copy(update={"pool_min_size": 0, "pool_max_size": 1})
    async with (
        connected(url_from(settings)) as connection,
        Database(one_connection) as database,
    ):

        async def convert_mood() -> str:
            async with database.transaction() as transaction:
                mood: str = await transaction.scalar(CONVERT_MOOD, {"mood": "happy"})
                return mood

        for _ in range(2):
            await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
            # The statement that the connection has cached has a parameter of the dropped type.
            with suppress(Exception):
                await convert_mood()
            assert await convert_mood() == "happy"
            await connection.execute("DROP TYPE mood")
