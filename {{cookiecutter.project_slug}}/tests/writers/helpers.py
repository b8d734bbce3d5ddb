"""Create rows of the tables of the writers."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import Database, Row
from app.db.repositories.base import Reader
from tests.writers.models import CustomerWriter, InvoiceWriter, Status

COUNT = text("SELECT count(*) FROM invoices_of_tests")


def invoice(number: int = 1, **values: Any) -> dict[str, Any]:
    """Return values of an invoice."""
    return {"number": number, "status": Status.DRAFT, "amount": Decimal("1.50"), **values}


async def create_customer(database: Database, email: str) -> UUID:
    """Insert a customer and return the ID."""
    async with database.transaction() as transaction:
        customer = await CustomerWriter(transaction).create(email=email)
        key: UUID = customer.id
        return key


async def create_invoice(database: Database, customer_id: UUID, **values: Any) -> Row:
    """Insert an invoice of a customer and return it."""
    async with database.transaction() as transaction:
        return await InvoiceWriter(transaction, customer_id).create(**invoice(**values))


async def count_invoices(database: Database) -> int:
    """Return the number of invoices."""
    return int((await Reader(database).fetch_one(COUNT))[0])
