"""Values of every type survive a round trip, in columns, parameters and results."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.ranges import AbstractMultiRange

from app.db import Database, Transaction
from app.db.repositories.base import Reader
from app.settings import Settings
from tests.databases import created_tables, url_from
from tests.sql.cases import Case
from tests.sql.converting_types import CONVERTING
from tests.sql.range_cases import RANGES
from tests.sql.type_cases import SCALARS

SINGLE = [*SCALARS, *RANGES, *CONVERTING]
# asyncpg cannot encode arrays of multiranges.
IN_ARRAYS = [case for case in SINGLE if not isinstance(case.type, AbstractMultiRange)]
CASES = [*SINGLE, *(case.array() for case in IN_ARRAYS)]
metadata = sa.MetaData()
values = sa.Table(
    "values_of_tests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    *(sa.Column(case.name, case.type) for case in CASES),
)
COMPARABLE = [case for case in SINGLE if case.is_comparable]
each_case = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(scope="module", autouse=True)
async def _tables(settings: Settings) -> AsyncIterator[None]:
    async with created_tables(url_from(settings), metadata):
        yield


def typed(value: Any) -> Any:
    """Return a value with the name of its type, which `==` ignores: `True == 1 == 1.0`."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    # The name, because asyncpg's `UUID` is a subclass of that of the standard library.
    return type(value).__name__, value


async def insert(transaction: Transaction, case: Case) -> sa.Column[Any]:
    """Insert one row for each value, with their positions as IDs. Return the column."""
    rows = [{"id": number, case.name: value} for number, value in enumerate(case.values)]
    await transaction.execute(sa.insert(values), rows)
    return values.c[case.name]


@each_case
async def test_every_form_of_query_returns_stored_values(
    transaction: Transaction, case: Case
) -> None:
    column = await insert(transaction, case)
    simple = sa.select(values.c.id, column.label("value"))
    textual = sa.text(f'SELECT id, "{case.name}" AS value FROM values_of_tests')  # noqa: S608
    with_types = textual.columns(id=sa.Integer, value=case.type)
    forms: list[sa.Executable] = [
        simple,
        sa.select(simple.cte()),
        sa.union_all(simple, simple.where(sa.false())),
        sa.select(sa.union_all(simple, simple.where(sa.false())).subquery()),
        with_types,
        sa.select(with_types.subquery()),
    ]
    for statement in forms:
        rows = sorted(await transaction.fetch_all(statement))
        assert [number for number, _ in rows] == list(range(len(case.values)))
        assert typed([value for _, value in rows]) == typed(case.values)
        assert typed([row._mapping["value"] for row in rows]) == typed(case.values)


@each_case
async def test_insert_and_update_return_stored_values(transaction: Transaction, case: Case) -> None:
    column, first, second = values.c[case.name], case.edges[0], case.edges[-1]
    inserting = sa.insert(values).values(id=1, **{case.name: first}).returning(column)
    assert typed(await transaction.scalar(inserting)) == typed(first)
    updating = sa.update(values).values({column: second}).returning(column)
    assert typed(await transaction.scalar(updating)) == typed(second)


@each_case
async def test_parameter_is_returned_unchanged(database: Database, case: Case) -> None:
    parameter = sa.cast(sa.bindparam("value", type_=case.type), case.type)
    # Without different labels, SQLAlchemy's cache mistakes one enum for another.
    statement = sa.select(parameter.label(case.name))
    for value in (case.null, *case.edges):
        row = await Reader(database).fetch_one(statement, value=value)
        assert typed(row[0]) == typed(value)
        streamed = [row[0] async for row in database.stream(statement, value=value)]
        assert typed(streamed) == typed([value])


@pytest.mark.parametrize("case", COMPARABLE, ids=str)
async def test_comparison_finds_stored_values(transaction: Transaction, case: Case) -> None:
    column = await insert(transaction, case)
    # The explicit type keeps `jsonb = 'text'` from being a comparison with text.
    equal = sa.select(values.c.id).where(column == sa.bindparam("value", type_=case.type))
    included = sa.select(values.c.id).where(
        column.in_(sa.bindparam("values", type_=case.type, expanding=True))
    )
    for value in case.edges:
        expected = [number for number, stored in enumerate(case.values) if stored == value]
        found = await transaction.scalars(equal, {"value": value})
        assert sorted(found.all()) == expected
    found = await transaction.scalars(included, {"values": list(case.edges)})
    expected = [number for number, stored in enumerate(case.values) if stored in case.edges]
    assert sorted(found.all()) == expected
