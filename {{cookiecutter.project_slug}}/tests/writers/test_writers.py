"""Writers, tested on tables with columns of many types."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, text

from app.db import Database
from app.errors import (
    AlreadyExistsError,
    NotFoundError,
    StaleVersionError,
)
from tests.writers.helpers import count_invoices, create_customer, create_invoice, invoice
from tests.writers.models import CustomerWriter, InvoiceWriter, PaymentWriter, Status

UNKNOWN_ID = UUID(int=0)
INVOICE_KEY = ["customer_id", "number"]


async def test_create_converts_values_and_returns_server_defaults(database: Database) -> None:
    values = {"email": "b@example.com", "metadata_": {"a": [1, None]}, "tags": ["x", "y"]}
    async with database.transaction() as transaction:
        customer = await CustomerWriter(transaction).create(**values)
        created = await InvoiceWriter(transaction, customer.id).create(**invoice())
    assert (customer.metadata_, customer.tags) == (values["metadata_"], values["tags"])
    assert (created.status, created.amount) == (Status.DRAFT, Decimal("1.50"))
    assert (created.customer_id, created.note) == (customer.id, None)
    assert created.updated_at == created.created_at


async def test_column_has_two_names(database: Database, customer_id: UUID) -> None:
    async with database.transaction() as transaction:
        customers = CustomerWriter(transaction)
        first = await customers.create(email="b@example.com", metadata={"a": 1})
        second = await customers.create(email="c@example.com", metadata_={"a": 2})
        assert (first.metadata_, second.metadata_) == ({"a": 1}, {"a": 2})
        assert (await customers.update(customer_id, metadata={"a": 3})).metadata_ == {"a": 3}
        assert (await customers.update(customer_id, metadata_={"a": 4})).metadata_ == {"a": 4}


async def test_invalid_names_are_errors(database: Database, customer_id: UUID) -> None:
    async with database.transaction() as transaction:
        customers = CustomerWriter(transaction)
        invoices = InvoiceWriter(transaction, customer_id)
        with pytest.raises(TypeError, match="'nmae'"):
            await customers.create(email="b@example.com", nmae="b")
        with pytest.raises(TypeError, match="'nmae'"):
            await customers.create_many([{"email": "b@example.com", "nmae": "b"}])
        with pytest.raises(TypeError, match="'nmae'"):
            await customers.update(customer_id, nmae="b")
        with pytest.raises(TypeError, match="'nmae'"):
            await customers.upsert(["nmae"], email="b@example.com")
        with pytest.raises(TypeError, match="'nmae'"):
            await customers.get_or_create(["email"], email="b@example.com", nmae="b")
        with pytest.raises(TypeError, match="email"):
            await customers.get_or_create(["email"], tags=[])
        with pytest.raises(TypeError, match="metadata_"):
            await customers.update(customer_id, metadata={}, metadata_={})
        with pytest.raises(TypeError, match="same columns"):
            await customers.create_many([{"email": "b@example.com"}, {"tags": []}])
        with pytest.raises(TypeError, match="customer_id"):
            await invoices.create(customer_id=customer_id, **invoice())
        with pytest.raises(TypeError, match="updated_at"):
            await customers.update(customer_id, version=datetime.now(UTC), tags=[])


async def test_create_many_keeps_the_order(database: Database, customer_id: UUID) -> None:
    # More parameters than one statement accepts.
    numbers = [number * 7919 % 10_007 for number in range(10_000)]
    rows = [invoice(number, amount=Decimal(number)) for number in numbers]
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, customer_id)
        created = await invoices.create_many(rows)
        assert await invoices.create_many([]) == []
    assert [row.number for row in created] == numbers
    assert all(row.amount == row.number and row.customer_id == customer_id for row in created)
    assert len({row.id for row in created}) == len(numbers)


async def test_upsert_inserts_then_updates(database: Database, customer_id: UUID) -> None:
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, customer_id)
        first = await invoices.upsert(INVOICE_KEY, **invoice(note="kept"))
        second = await invoices.upsert(INVOICE_KEY, **invoice(status=Status.SENT))
    assert (first.status, second.status) == (Status.DRAFT, Status.SENT)
    assert (second.id, second.note) == (first.id, "kept")
    assert second.updated_at > first.updated_at
    assert await count_invoices(database) == 1


async def test_upsert_of_nothing_else_returns_the_row(
    database: Database, customer_id: UUID
) -> None:
    async with database.transaction() as transaction:
        customer = await CustomerWriter(transaction).upsert(["email"], email="a@example.com")
    assert customer.id == customer_id


async def test_row_outside_the_scope_is_not_changed(database: Database, customer_id: UUID) -> None:
    owned = await create_invoice(database, customer_id, note="same")
    other = await create_customer(database, "b@example.com")
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, other)
        with pytest.raises(NotFoundError):
            await invoices.get(owned.id)
        with pytest.raises(NotFoundError):
            await invoices.update(owned.id, note="changed")
        with pytest.raises(NotFoundError):
            await invoices.delete(owned.id)
        for method in (invoices.upsert, invoices.get_or_create):
            with pytest.raises(AlreadyExistsError):
                await method(["note"], **invoice(amount=Decimal(9), note="same"))
    async with database.transaction() as transaction:
        assert await InvoiceWriter(transaction, customer_id).get(owned.id) == owned


async def test_get_or_create_returns_the_existing_row(
    database: Database, customer_id: UUID
) -> None:
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, customer_id)
        first, first_is_new = await invoices.get_or_create(INVOICE_KEY, **invoice(note="a"))
        second, second_is_new = await invoices.get_or_create(INVOICE_KEY, **invoice(note="b"))
    assert (first_is_new, second_is_new) == (True, False)
    assert second == first


async def test_update_accepts_sql_expressions(database: Database, customer_id: UUID) -> None:
    created = await create_invoice(database, customer_id, note="a")
    async with database.transaction() as transaction:
        updated = await InvoiceWriter(transaction, customer_id).update(
            created.id, note=func.upper("b"), amount=created.amount + Decimal(1)
        )
    assert (updated.note, updated.amount) == ("B", Decimal("2.50"))
    assert updated.updated_at > created.updated_at


async def test_stale_version_is_rejected(database: Database, customer_id: UUID) -> None:
    created = await create_invoice(database, customer_id)
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, customer_id)
        second = await invoices.update(created.id, version=created.updated_at, note="a")
        third = await invoices.update(created.id, version=second.updated_at, note="b")
        for stale in (created, second):
            with pytest.raises(StaleVersionError):
                await invoices.update(created.id, version=stale.updated_at, note="c")
            with pytest.raises(StaleVersionError):
                await invoices.update(created.id, version=stale.updated_at)
        assert await invoices.update(created.id, version=third.updated_at) == third
        with pytest.raises(NotFoundError):
            await invoices.update(UNKNOWN_ID, version=third.updated_at, note="c")


async def test_returned_rows_are_locked(database: Database, customer_id: UUID) -> None:
    created = await create_invoice(database, customer_id)
    lock = text("SELECT id FROM invoices_of_tests FOR UPDATE SKIP LOCKED")
    for method in ("get", "update"):
        async with database.transaction() as first, database.transaction() as second:
            await getattr(InvoiceWriter(first, customer_id), method)(created.id)
            assert (await second.execute(lock)).all() == []


async def test_delete_returns_the_row(database: Database, customer_id: UUID) -> None:
    created = await create_invoice(database, customer_id)
    async with database.transaction() as transaction:
        assert await InvoiceWriter(transaction, customer_id).delete(created.id) == created
    assert await count_invoices(database) == 0


async def test_primary_key_of_two_columns(database: Database, customer_id: UUID) -> None:
    created = await create_invoice(database, customer_id)
    async with database.transaction() as transaction:
        payments = PaymentWriter(transaction)
        await payments.create_many([{"invoice_id": created.id, "number": n} for n in (1, 2)])
        updated = await payments.update((created.id, 2), payer=UNKNOWN_ID)
        await payments.delete((created.id, 1))
        with pytest.raises(NotFoundError):
            await payments.get((created.id, 1))
        assert await payments.get((created.id, 2)) == updated
