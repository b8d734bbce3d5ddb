"""The connection of the driver: COPY in a transaction."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError, UnavailableError
from app.settings import Settings
from tests.connection_pool import assert_intact
from tests.databases import connected, url_from

COUNT = text("SELECT count(*) FROM copied")


@pytest.fixture(autouse=True)
async def copied(settings: Settings) -> AsyncIterator[None]:
    """Create a table with a unique column."""
    async with connected(url_from(settings)) as connection:
        await connection.execute("CREATE TABLE copied (id integer UNIQUE)")
        yield
        await connection.execute("DROP TABLE copied")


async def stored(database: Database) -> int:
    [count] = await Reader(database).fetch_one(COUNT)
    return int(count)


async def test_copy_is_committed_with_its_transaction(pool_of_two: Database) -> None:
    async with pool_of_two.transaction() as transaction:
        async with transaction.driver_connection() as connection:
            await connection.copy_records_to_table("copied", records=[(1,), (2,)])
        await transaction.execute(text("INSERT INTO copied VALUES (3)"))
        assert await stored(pool_of_two) == 0
    assert await stored(pool_of_two) == 3


async def test_copy_is_rolled_back_with_its_transaction(pool_of_two: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with pool_of_two.transaction() as transaction:
            async with transaction.driver_connection() as connection:
                await connection.copy_records_to_table("copied", records=[(1,)])
            raise ZeroDivisionError
    assert await stored(pool_of_two) == 0


async def test_error_of_copy_is_translated(pool_of_two: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with pool_of_two.transaction() as transaction:
            # Within the transaction, whose end also translates errors.
            with pytest.raises(AlreadyExistsError):
                async with transaction.driver_connection() as connection:
                    await connection.copy_records_to_table("copied", records=[(1,), (1,)])
            raise ZeroDivisionError


async def test_copy_that_times_out_is_unavailable(pool_of_two: Database) -> None:
    with pytest.raises(UnavailableError, match="does not respond"):
        async with pool_of_two.transaction() as transaction, transaction.driver_connection() as one:
            await one.copy_from_query("SELECT pg_sleep(60)", output=BytesIO(), timeout=1)
    await assert_intact(pool_of_two)


async def test_savepoint_undoes_a_failed_copy(pool_of_two: Database) -> None:
    async with pool_of_two.transaction() as transaction:
        with pytest.raises(AlreadyExistsError):
            async with transaction.savepoint(), transaction.driver_connection() as connection:
                await connection.copy_records_to_table("copied", records=[(1,), (1,)])
        await transaction.execute(text("INSERT INTO copied VALUES (3)"))
    assert await stored(pool_of_two) == 1


async def test_connection_of_ended_transaction_is_an_error(pool_of_two: Database) -> None:
    async with pool_of_two.transaction() as transaction:
        pass
    with pytest.raises(RuntimeError, match=r"database\.run"):
        async with transaction.driver_connection():
            pytest.fail("The transaction has ended.")
