"""SQL expressions as values of writers, and values that columns get in every UPDATE."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.db import Database
from app.db.table_statements import TableStatements
from tests.writers.helpers import count_invoices, invoice
from tests.writers.models import CustomerWriter, InvoiceWriter, Status

UPPER = sa.func.upper("b")


class Named:
    """An object that stands for an SQL expression, as an attribute of a model does."""

    def __clause_element__(self) -> Any:
        return UPPER


async def test_create_accepts_sql_expressions(database: Database, customer_id: UUID) -> None:
    number = sa.select(sa.func.max(sa.literal(6)) + 1).scalar_subquery()
    async with database.transaction() as transaction:
        invoices = InvoiceWriter(transaction, customer_id)
        first = await invoices.create(**invoice(note=UPPER))
        second = await invoices.create(**{**invoice(note=sa.null()), "number": number})
    assert (first.note, first.number, first.status) == ("B", 1, Status.DRAFT)
    assert (second.note, second.number) == (None, 7)
    assert second.customer_id == first.customer_id == customer_id


@pytest.mark.parametrize("value", [UPPER, Named(), sa.null(), sa.text("now()")])
@pytest.mark.parametrize(
    "write",
    [
        lambda writer, values: writer.create_many([values]),
        lambda writer, values: writer.upsert(["number"], **values),
        lambda writer, values: writer.get_or_create(["number"], **values),
    ],
)
async def test_other_methods_reject_sql_expressions(
    database: Database, customer_id: UUID, write: Callable[..., Any], value: Any
) -> None:
    async with database.transaction() as transaction:
        with pytest.raises(TypeError, match=r"Only `create` and `update` accept .*: \['note'\]"):
            await write(InvoiceWriter(transaction, customer_id), invoice(note=value))
    assert await count_invoices(database) == 0


async def test_none_is_json_null_unless_the_type_says_otherwise(database: Database) -> None:
    table = sa.Table(
        "documents_of_tests",
        sa.MetaData(),
        sa.Column("json_null", JSONB),
        sa.Column("sql_null", JSONB(none_as_null=True)),
        sa.Column("expression", JSONB),
    )
    statements = TableStatements(table, table.columns.items())
    keys = ("json_null", "sql_null")
    types = sa.select(*(sa.func.jsonb_typeof(column) for column in table.columns))
    async with database.transaction() as transaction:
        await transaction.execute(
            sa.text(
                "CREATE TEMPORARY TABLE documents_of_tests"
                " (json_null jsonb, sql_null jsonb, expression jsonb) ON COMMIT DROP"
            )
        )
        values = dict.fromkeys(keys)
        row = (await transaction.execute(statements.insert(keys), values)).one()
        await transaction.execute(statements.insert(keys), [values, values])
        await transaction.execute(
            statements.insert_expressions({**values, "expression": sa.null()})
        )
        assert row == (None, None, None)
        assert await transaction.fetch_all(types) == [("null", None, None)] * 4


async def test_conflict_needs_columns(database: Database) -> None:
    async with database.transaction() as transaction:
        customers = CustomerWriter(transaction)
        for method in (customers.upsert, customers.get_or_create):
            with pytest.raises(TypeError, match="columns of a unique constraint"):
                await method([], email="b@example.com")


async def test_upsert_sets_the_values_of_onupdate(database: Database) -> None:
    table = sa.Table(
        "updated_things",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("by_sql", sa.Text, onupdate=sa.func.upper("sql")),
        sa.Column("by_value", sa.Text, onupdate="value"),
        sa.Column("by_function", sa.Text, onupdate=lambda: "function"),
    )
    statements = TableStatements(table, table.columns.items())
    upsert = statements.upsert(("id", "name", "by_function"), ("id",), ())
    async with database.transaction() as transaction:
        columns = ", ".join(f"{name} text" for name in table.columns.keys()[1:])
        await transaction.execute(
            sa.text(f"CREATE TEMPORARY TABLE updated_things (id int PRIMARY KEY, {columns})")
        )
        values = {"id": 1, "name": "a", "by_function": "given"}
        inserted = await transaction.execute(upsert, values)
        updated = await transaction.execute(upsert, {**values, "name": "b"})
        await transaction.execute(sa.text("DROP TABLE updated_things"))
    assert inserted.one() == (1, "a", None, None, "given")
    assert updated.one() == (1, "b", "SQL", "value", "given")
    with pytest.raises(TypeError, match=r"onupdate.*updated_things\.by_function"):
        statements.upsert(("id", "name"), ("id",), ())
