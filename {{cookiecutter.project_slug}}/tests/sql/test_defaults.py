"""Defaults of columns, as SQLAlchemy documents them.

https://docs.sqlalchemy.org/en/21/core/defaults.html
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.db import Transaction
from app.settings import Settings
from tests.databases import created_tables, url_from


# The context is untyped.
def upper_name(context: Any) -> str:
    """Return a default that depends on another value of the row."""
    return str(context.get_current_parameters()["name"]).upper()


metadata = sa.MetaData()
things = sa.Table(
    "things_with_defaults",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True, default=uuid4),
    sa.Column("name", sa.Text),
    sa.Column("upper", sa.Text, default=upper_name, onupdate=upper_name),
    sa.Column("constant", sa.Integer, default=1, onupdate=2),
    sa.Column("expression", sa.Text, default=sa.func.lower("SQL"), onupdate=sa.func.upper("sql")),
    sa.Column("server", sa.Text, server_default="server"),
    sa.Column("generated", sa.Text, sa.Computed("name || '!'", persisted=True)),
)
c = things.c
WITHOUT_ID = sa.select(*things.c[1:]).order_by(c.name)
A, B = (("a", "A", 1, "sql", "server", "a!"), ("b", "B", 1, "sql", "server", "b!"))
NAMES = [{"name": "a"}, {"name": "b"}]


@pytest.fixture(scope="module", autouse=True)
async def _tables(settings: Settings) -> AsyncIterator[None]:
    async with created_tables(url_from(settings), metadata):
        yield


@pytest.mark.parametrize(
    ("statement", "parameters", "rows"),
    [
        (sa.insert(things).values(name="a"), None, [A]),
        (sa.insert(things), {"name": "a"}, [A]),
        (sa.insert(things), NAMES, [A, B]),
        (sa.insert(things).values(NAMES), None, [A, B]),
    ],
)
async def test_insert_uses_defaults(
    transaction: Transaction, statement: sa.Executable, parameters: Any, rows: list[Any]
) -> None:
    await transaction.execute(statement, parameters)
    assert await transaction.fetch_all(WITHOUT_ID) == rows
    ids = (await transaction.scalars(sa.select(c.id))).all()
    assert len(set(ids)) == len(rows)


async def test_defaults_are_returned(transaction: Transaction) -> None:
    row = await transaction.fetch_one(sa.insert(things).values(name="a").returning(things))
    assert isinstance(row.id, UUID)
    assert row[1:] == A


async def test_values_replace_defaults(transaction: Transaction) -> None:
    values = {"id": UUID(int=1), "name": "a", "upper": None, "constant": 5, "expression": "x"}
    row = await transaction.fetch_one(sa.insert(things).values(**values).returning(things))
    assert row == (*values.values(), "server", "a!")


async def test_update_uses_defaults(transaction: Transaction) -> None:
    await transaction.execute(sa.insert(things), NAMES)
    await transaction.execute(sa.update(things).where(c.name == "b").values(name="c"))
    by_name = sa.update(things).where(c.name == sa.bindparam("old"))
    await transaction.execute(by_name, [{"old": "a", "name": "d"}])
    assert await transaction.fetch_all(WITHOUT_ID) == [
        ("c", "C", 2, "SQL", "server", "c!"),
        ("d", "D", 2, "SQL", "server", "d!"),
    ]


async def test_sequence(transaction: Transaction) -> None:
    await transaction.execute(sa.text("CREATE SEQUENCE numbers_of_tests START 5"))
    statement = sa.select(sa.Sequence("numbers_of_tests").next_value())
    assert [await transaction.scalar(statement) for _ in range(2)] == [5, 6]
