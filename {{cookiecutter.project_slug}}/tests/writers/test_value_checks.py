"""`check` of a writer rejects values, no matter which method writes them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from app.db import Database
from app.errors import ConflictError
from tests.writers.helpers import count_invoices, create_invoice, invoice
from tests.writers.models import InvoiceWriter

KEY = ["customer_id", "number"]


class CheckedWriter(InvoiceWriter):
    """Rejects a note."""

    async def check(self, values: Mapping[str, Any]) -> None:
        if values.get("note") == "rejected":
            raise ConflictError("The note is rejected.")


@pytest.mark.parametrize("note", ["accepted", "rejected"])
@pytest.mark.parametrize("method", ["create", "create_many", "upsert", "get_or_create", "update"])
async def test_rejected_value_is_not_written(
    database: Database, customer_id: UUID, method: str, note: str
) -> None:
    existing = await create_invoice(database, customer_id)
    new = invoice(2, note=note)

    async def write() -> None:
        async with database.transaction() as transaction:
            writer = CheckedWriter(transaction, customer_id)
            match method:
                case "create":
                    await writer.create(**new)
                case "create_many":
                    await writer.create_many([invoice(3, note="third"), new])
                case "upsert":
                    await writer.upsert(KEY, **new)
                case "get_or_create":
                    await writer.get_or_create(KEY, **new)
                case "update":
                    await writer.update(existing.id, note=note)

    if note == "accepted":
        await write()
        return
    with pytest.raises(ConflictError):
        await write()
    assert await count_invoices(database) == 1
    async with database.transaction() as transaction:
        assert await InvoiceWriter(transaction, customer_id).get(existing.id) == existing
