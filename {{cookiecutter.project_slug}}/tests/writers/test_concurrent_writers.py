"""Writers of concurrent transactions."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Executable, text

from app.db import Database, Row, Transaction
from app.db.repositories.base import Reader
from app.errors import RetryableError, StaleVersionError
from tests.waiting import wait_until
from tests.writers.helpers import create_customer, create_invoice
from tests.writers.models import CustomerWriter, InvoiceWriter

EMAIL = "a@example.com"
IS_WAITING = text("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")


async def wait_for_lock(database: Database) -> None:
    async def is_waiting() -> object:
        return (await Reader(database).fetch_one(IS_WAITING))[0]

    await wait_until(is_waiting)


async def get_or_create(database: Database) -> tuple[Row, bool]:
    async with database.transaction() as transaction:
        return await CustomerWriter(transaction).get_or_create(["email"], email=EMAIL)


async def test_concurrent_get_or_create_inserts_one_row(database: Database) -> None:
    async with database.transaction() as transaction:
        first, first_is_new = await CustomerWriter(transaction).get_or_create(
            ["email"], email=EMAIL
        )
        second_call = asyncio.create_task(get_or_create(database))
        await wait_for_lock(database)
    second, second_is_new = await second_call
    assert (first_is_new, second_is_new) == (True, False)
    assert second.id == first.id


async def test_get_or_create_protects_the_row_from_deletion(database: Database) -> None:
    key = await create_customer(database, EMAIL)

    async def delete() -> None:
        async with database.transaction() as transaction:
            await CustomerWriter(transaction).delete(key)

    async with database.transaction() as transaction:
        customer, is_new = await CustomerWriter(transaction).get_or_create(["email"], email=EMAIL)
        assert (customer.id, is_new) == (key, False)
        deletion = asyncio.create_task(delete())
        await wait_for_lock(database)
        assert (await CustomerWriter(transaction).get(key)).id == key
    await deletion


async def test_get_or_create_inserts_row_that_was_deleted_in_between(database: Database) -> None:
    key = await create_customer(database, EMAIL)

    class InterruptedWriter(CustomerWriter):
        async def _execute(self, statement: Executable, parameters: Any = None) -> Sequence[Row]:
            rows = await super()._execute(statement, parameters)
            if parameters and not rows:
                async with database.transaction() as other:
                    await CustomerWriter(other).delete(key)
            return rows

    async with database.transaction() as transaction:
        customer, is_new = await InterruptedWriter(transaction).get_or_create(
            ["email"], email=EMAIL
        )
    assert is_new
    assert customer.id != key


async def test_row_that_the_snapshot_does_not_contain_is_retried(database: Database) -> None:
    async def work(transaction: Transaction) -> tuple[Row, bool]:
        await transaction.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await transaction.execute(text("SELECT 1"))
        existing = await get_or_create(database)
        found = await CustomerWriter(transaction).get_or_create(["email"], email=EMAIL)
        assert found[0].id == existing[0].id
        return found

    with pytest.raises(RetryableError):
        async with database.transaction() as transaction:
            await work(transaction)
    assert await database.run(work)


async def test_concurrent_update_of_the_same_version_is_rejected(database: Database) -> None:
    customer_id = await create_customer(database, EMAIL)
    created = await create_invoice(database, customer_id)

    async def update(transaction: Transaction, note: str) -> Row:
        invoices = InvoiceWriter(transaction, customer_id)
        return await invoices.update(created.id, version=created.updated_at, note=note)

    async def update_later() -> None:
        async with database.transaction() as transaction:
            await update(transaction, "second")

    async with database.transaction() as transaction:
        assert (await update(transaction, "first")).note == "first"
        second_update = asyncio.create_task(update_later())
        await wait_for_lock(database)
    with pytest.raises(StaleVersionError):
        await second_update


async def test_concurrent_upserts_update_one_row(database: Database) -> None:
    async def upsert() -> Row:
        async with database.transaction() as transaction:
            return await CustomerWriter(transaction).upsert(["email"], email=EMAIL, tags=["b"])

    async with database.transaction() as transaction:
        first = await CustomerWriter(transaction).create(email=EMAIL, tags=["a"])
        second_call = asyncio.create_task(upsert())
        await wait_for_lock(database)
    second = await second_call
    assert (second.id, second.tags) == (first.id, ["b"])
