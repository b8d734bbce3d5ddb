"""Rows that a `Reader` declares, restricted to a customer."""

from uuid import UUID

import pytest
from sqlalchemy import bindparam, select

from app.db import Database
from app.db.keyset import KeysetList, PageRequest
from app.db.repositories.base import Reader
from app.errors import NotFoundError
from tests.writers.helpers import create_customer, create_invoice
from tests.writers.models import metadata

invoices = metadata.tables["invoices_of_tests"]
PAGE = PageRequest(limit=1)


class InvoiceReader(Reader):
    """Reads the invoices of one customer."""

    rows = KeysetList(
        select(invoices.c.id, invoices.c.number).where(
            invoices.c.customer_id == bindparam("customer_id")
        ),
        filters={"number": invoices.c.number},
    )

    def __init__(self, database: Database, customer_id: UUID) -> None:
        super().__init__(database, customer_id=customer_id)


async def test_get_and_list_return_only_rows_of_the_scope(
    database: Database, customer_id: UUID
) -> None:
    other_id = await create_customer(database, "b@example.com")
    invoice = await create_invoice(database, customer_id, number=1)
    own, other = InvoiceReader(database, customer_id), InvoiceReader(database, other_id)
    row = await own.get(invoice.id)
    assert (row.id, row.number) == (invoice.id, 1)
    assert [row.id for row in await own.list(PAGE)] == [invoice.id]
    assert await own.list(PageRequest(limit=1, filters={"number": 2})) == []
    assert await other.list(PAGE) == []
    with pytest.raises(NotFoundError):
        await other.get(invoice.id)


async def test_rows_of_any_list_are_fetched(database: Database, customer_id: UUID) -> None:
    numbers = KeysetList(select(invoices.c.number), key="number")
    for number in (1, 2, 3):
        await create_invoice(database, customer_id, number=number)
    rows = await InvoiceReader(database, customer_id).fetch_page(numbers, PAGE)
    assert [row.number for row in rows] == [3, 2]
