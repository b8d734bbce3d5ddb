"""Entities in the session and writers see each other's changes."""

from uuid import UUID

from sqlalchemy import inspect, select

from app.db import Database
from tests.writers.helpers import create_invoice, invoice
from tests.writers.models import Customer, CustomerWriter, Invoice, InvoiceWriter, Status


async def test_loaded_entity_gets_values_of_the_writer(
    database: Database, customer_id: UUID
) -> None:
    created = await create_invoice(database, customer_id)
    async with database.transaction() as transaction:
        entity = await transaction.get_one(Invoice, created.id)
        invoices = InvoiceWriter(transaction, customer_id)
        updated = await invoices.update(created.id, note="updated")
        assert (entity.note, entity.updated_at) == ("updated", updated.updated_at)
        await invoices.upsert(["customer_id", "number"], **invoice(status=Status.SENT))
        assert entity.status is Status.SENT
        transaction.expire(entity)
        await invoices.get(created.id)
        assert entity.note == "updated"
        assert not transaction.dirty


async def test_attribute_of_another_name_is_updated(database: Database, customer_id: UUID) -> None:
    async with database.transaction() as transaction:
        entity = await transaction.get_one(Customer, customer_id)
        await CustomerWriter(transaction).update(customer_id, metadata={"a": 1})
        assert entity.metadata_ == {"a": 1}


async def test_pending_changes_are_written_first(database: Database, customer_id: UUID) -> None:
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, customer_id)
        entity = Invoice(customer_id=customer_id, **invoice(note="new"))
        transaction.add(entity)
        row, is_new = await invoices.get_or_create(["customer_id", "number"], **invoice())
        assert (row.id, row.note, is_new) == (entity.id, "new", False)
        entity.note = "changed"
        assert (await invoices.update(entity.id, status=Status.SENT)).note == "changed"
        assert entity.status is Status.SENT


async def test_deleted_entity_leaves_the_session(database: Database, customer_id: UUID) -> None:
    created = await create_invoice(database, customer_id)
    async with database.transaction() as transaction:
        entity = await transaction.get_one(Invoice, created.id)
        await InvoiceWriter(transaction, customer_id).delete(created.id)
        assert inspect(entity).detached
        assert await transaction.get(Invoice, created.id) is None
        assert (await transaction.scalars(select(Invoice))).all() == []
