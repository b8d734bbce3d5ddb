"""A transaction, and a connection for reading, run one statement at a time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.db import Database, Transaction
from tests.connection_pool import SELECT_1, assert_intact
from tests.isolation import ThingWriter

SLOW = text("SELECT 1 FROM pg_sleep(0.1)")


async def set_savepoint(transaction: Transaction) -> None:
    async with transaction.savepoint():
        pytest.fail("The block must not run.")


async def use_driver(transaction: Transaction) -> None:
    async with transaction.driver_connection():
        pytest.fail("The block must not run.")


USES: list[Callable[[Transaction], Any]] = [
    lambda transaction: transaction.execute(SELECT_1),
    lambda transaction: transaction.execute(text("SELECT :x"), [{"x": "a"}, {"x": "b"}]),
    lambda transaction: transaction.scalar(SELECT_1),
    lambda transaction: transaction.scalars(SELECT_1),
    lambda transaction: transaction.fetch_all(SELECT_1),
    lambda transaction: transaction.fetch_one_or_none(SELECT_1),
    lambda transaction: ThingWriter(transaction).create(name="a"),
    set_savepoint,
    use_driver,
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("has_begun", [True, False])
async def test_second_of_two_concurrent_statements_raises(
    pool_of_two: Database, use: Callable[[Transaction], Any], has_begun: bool
) -> None:
    async with pool_of_two.transaction() as transaction:
        if has_begun:
            await transaction.execute(SELECT_1)
        first = asyncio.create_task(transaction.scalar(SLOW))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one statement at a time"):
            await use(transaction)
        assert await first == 1
        # The transaction can still be used.
        assert await transaction.scalar(SELECT_1) == 1
        async with transaction.savepoint():
            assert await transaction.scalar(SELECT_1) == 1
    await assert_intact(pool_of_two)


async def test_concurrent_reads_of_one_connection_wait(pool_of_two: Database) -> None:
    async with pool_of_two.connection() as connection:
        reads = (connection.scalar(SLOW) for _ in range(3))
        assert await asyncio.gather(*reads) == [1, 1, 1]
    await assert_intact(pool_of_two)


async def test_first_of_many_concurrent_statements_succeeds(pool_of_two: Database) -> None:
    async with pool_of_two.transaction() as transaction:
        statements = (transaction.scalar(SLOW) for _ in range(5))
        first, *others = await asyncio.gather(*statements, return_exceptions=True)
    assert first == 1
    assert [type(error) for error in others] == [RuntimeError] * 4
    await assert_intact(pool_of_two)
