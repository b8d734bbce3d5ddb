"""The functions of SQLAlchemy's tutorial: aggregates, windows, and functions that return rows.

https://docs.sqlalchemy.org/en/21/tutorial/data_select.html#working-with-sql-functions
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by, array

from app.db import Database
from tests.sql.accounts import addresses, fetch, users
from tests.sql.converting_types import Reversed

pytestmark = pytest.mark.usefixtures("accounts")

NAME, EMAIL = users.c.name, addresses.c.email_address
JOINED = sa.select(NAME, EMAIL).join_from(users, addresses).order_by(EMAIL)
INTEGERS, TEXTS = ARRAY(sa.Integer), ARRAY(sa.Text)
# PostgreSQL accepts a subscript after a column, but not after a parameter with a cast.
DOCUMENT = (
    sa.select(sa.literal({"a": [{"b": "c"}, 2], "d": {"e": None}}, JSONB).label("document"))
    .subquery()
    .c.document
)
NUMBERS = sa.select(sa.literal([5, 6, 7], INTEGERS).label("numbers")).subquery().c.numbers
DAY, TIMESTAMP = sa.literal(date(2024, 2, 28)), sa.literal(datetime(2024, 2, 28, 12, tzinfo=UTC))
WORDS = sa.func.json_array_elements_text(sa.literal(["one", "two"], sa.JSON)).table_valued("value")
SERIES = (
    sa.func.generate_series(4, 1, -1)
    .table_valued("value", with_ordinality="position", name="series")
    .render_derived()
)
SCALARS = sa.func.unnest(sa.literal([3, 1], INTEGERS)).column_valued("x")

# Each with its value.
EXPRESSIONS: dict[str, tuple[sa.ColumnElement[Any], Any]] = {
    "lower": (sa.func.lower("A String With Much UPPERCASE"), "a string with much uppercase"),
    "concat": (sa.func.concat("a", 1, None), "a1"),
    "coalesce": (sa.func.coalesce(sa.null(), 5), 5),
    "type": (sa.func.jsonb_object(sa.literal(["a", "b"], TEXTS), type_=JSONB), {"a": "b"}),
    "int times Decimal": (sa.literal(3) * Decimal("1.5"), Decimal("4.5")),
    "integer division": (sa.literal(7) // 2, 3),
    "division": (sa.literal(7) / sa.literal(Decimal(2)), Decimal("3.5")),
    "modulo": (sa.literal(7) % 4, 3),
    "bits": (sa.literal(6).bitwise_and(3), 2),
    "concatenation": (sa.literal("a") + "b", "ab"),
    "date plus timedelta": (DAY + timedelta(days=2), datetime(2024, 3, 1)),  # noqa: DTZ001
    "date minus date": (DAY - date(2024, 2, 1), 27),
    "timestamp minus timedelta": (
        TIMESTAMP - timedelta(hours=13),
        datetime(2024, 2, 27, 23, tzinfo=UTC),
    ),
    "timestamp minus timestamp": (TIMESTAMP - TIMESTAMP, timedelta(0)),
    "now": (sa.func.now() - timedelta(days=1) < sa.func.now(), True),
    "extract": (sa.extract("year", DAY), Decimal(2024)),
    "date_trunc": (sa.func.date_trunc("month", TIMESTAMP), datetime(2024, 2, 1, tzinfo=UTC)),
    "jsonb_build_object": (sa.func.jsonb_build_object("n", 1, "t", "x"), {"n": 1, "t": "x"}),
    "JSON element": (DOCUMENT["a"][0], {"b": "c"}),
    "JSON text": (DOCUMENT["a"][0]["b"].astext, "c"),
    "JSON path": (DOCUMENT[("a", 1)].as_integer(), 2),
    "JSON key": (DOCUMENT.has_key("d"), True),
    "JSON contains": (DOCUMENT.contains({"d": {}}), True),
    "JSON null": (DOCUMENT[("d", "e")], None),
    "JSON subscript": (sa.cast(DOCUMENT["a"][1], sa.Integer) + 1, 3),
    "type with SQL for results": (sa.type_coerce(sa.literal_column("'abc'"), Reversed()), "cba"),
    "type with SQL for parameters": (sa.literal("abc", Reversed()) == sa.literal("cba"), True),
    "array": (array([1, 2]) + array([3]), [1, 2, 3]),
    "array element": (NUMBERS[2], 6),
    "array slice": (NUMBERS[2:3], [6, 7]),
    "array contains": (sa.literal(["a", "b"], TEXTS).contains(["b"]), True),
    "array overlap": (sa.literal(["a"], TEXTS).overlap(["b"]), False),
    "array length": (sa.func.array_length(sa.literal([1, 2], INTEGERS), 1), 2),
    "regular expression": (sa.literal("a1b2").regexp_replace("[0-9]", "", flags="g"), "ab"),
    "full-text search": (
        sa.func.to_tsvector("english", "cats").bool_op("@@")(sa.func.to_tsquery("english", "cat")),
        True,
    ),
}
QUERIES: dict[str, tuple[sa.Executable, list[Any]]] = {
    "row_number": (
        JOINED.add_columns(sa.func.row_number().over(partition_by=NAME, order_by=EMAIL)),
        [
            ("sandy", "sandy@sqlalchemy.org", 1),
            ("sandy", "sandy@squirrelpower.org", 2),
            ("spongebob", "spongebob@sqlalchemy.org", 1),
        ],
    ),
    "frame": (
        sa.select(sa.func.sum(users.c.id).over(order_by=users.c.id, rows=(None, 0))).order_by(
            users.c.id
        ),
        [(1,), (3,), (6,)],
    ),
    "within group": (
        sa.select(
            sa.func.unnest(
                sa.func.percentile_disc(
                    sa.literal([0.25, 0.5, 1.0], ARRAY(sa.Double))
                ).within_group(NAME)
            )
        ),
        [("patrick",), ("sandy",), ("spongebob",)],
    ),
    "filter": (
        sa.select(
            sa.func.count(EMAIL).filter(NAME == "sandy"), sa.func.count(EMAIL).filter(NAME == "x")
        ).join_from(users, addresses),
        [(2, 0)],
    ),
    "aggregates": (
        sa.select(
            sa.func.min(NAME),
            sa.func.max(users.c.id),
            sa.func.sum(users.c.id),
            sa.func.avg(users.c.id),
        ),
        [("patrick", 3, 6, Decimal(2))],
    ),
    "array_agg": (
        sa.select(sa.func.array_agg(aggregate_order_by(NAME, NAME.desc()))),
        [(["spongebob", "sandy", "patrick"],)],
    ),
    "jsonb_agg": (
        sa.select(
            sa.func.jsonb_agg(
                aggregate_order_by(sa.func.jsonb_build_object("id", users.c.id), users.c.id)
            )
        ),
        [([{"id": 1}, {"id": 2}, {"id": 3}],)],
    ),
    "table of values": (sa.select(WORDS), [("one",), ("two",)]),
    "condition on a table of values": (
        sa.select(WORDS.c.value).where(WORDS.c.value.in_(["two", "three"])),
        [("two",)],
    ),
    "ordinality": (
        sa.select(SERIES.c.value, SERIES.c.position).where(SERIES.c.position > 2),
        [(2, 3), (1, 4)],
    ),
    "column of values": (sa.select(SCALARS), [(3,), (1,)]),
    "function": (sa.func.upper("a"), [("A",)]),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
async def test_expression(database: Database, name: str) -> None:
    expression, expected = EXPRESSIONS[name]
    [(value,)] = await fetch(database, sa.select(expression))
    assert (type(value), value) == (type(expected), expected)


@pytest.mark.parametrize("name", QUERIES)
async def test_query(database: Database, name: str) -> None:
    statement, expected = QUERIES[name]
    assert await fetch(database, statement) == expected
