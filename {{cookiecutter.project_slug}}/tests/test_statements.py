"""Statements, values and results work as SQLAlchemy documents them, in both database layers."""

import enum
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, INT4RANGE, JSONB, Range
from sqlalchemy.exc import InvalidRequestError, ResourceClosedError, StatementError

from app.db import Database, Transaction
from app.errors import NotFoundError
from app.settings import Settings
from tests.databases import connected, url_from


class Status(enum.Enum):
    """Status of an invoice."""

    DRAFT = "draft"
    SENT = "sent"


class Cents(sa.TypeDecorator[int]):
    """An amount that is stored in euros and used in cents."""

    impl = sa.Numeric(12, 2)
    cache_ok = True

    def process_bind_param(self, value: int | None, _: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / 100

    def process_result_value(self, value: Decimal | None, _: sa.Dialect) -> int:
        # Converts NULL too.
        return 0 if value is None else int(value * 100)


STATUS = sa.Enum(Status, name="probe_status")
probes = sa.Table(
    "probes",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", STATUS),
    sa.Column("statuses", ARRAY(STATUS)),
    sa.Column("cents", Cents),
    sa.Column("ratio", sa.Numeric(asdecimal=False)),
    sa.Column("document", JSONB),
    sa.Column("range", INT4RANGE),
    sa.Column("name", sa.Text, default="unnamed", onupdate=lambda: "updated"),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
)
c = probes.c
VALUES: dict[str, Any] = {
    "status": Status.SENT,
    "statuses": [Status.DRAFT, Status.SENT],
    "cents": 1234,
    "ratio": 1.5,
    "document": {"a": [{"b": "c"}]},
    "range": Range(1, 5),
}
IDS = sa.select(c.id).order_by(c.id)
IDS_BY_STATUS = IDS.where(c.status.in_(sa.bindparam("statuses", expanding=True)))
OPTIONAL_ID = sa.bindparam("id", type_=sa.Integer)
IDS_BY_OPTIONAL_ID = IDS.where(sa.or_(OPTIONAL_ID.is_(None), c.id == OPTIONAL_ID))


@pytest.fixture(scope="module")
async def _table(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Create a table with two rows, and drop it after the tests of this module."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(
            "CREATE TYPE probe_status AS ENUM ('DRAFT', 'SENT');"
            "CREATE TABLE probes (id integer PRIMARY KEY, status probe_status,"
            " statuses probe_status[], cents numeric(12, 2), ratio numeric, document jsonb,"
            " range int4range, name text, created_at timestamptz DEFAULT now())"
        )
        async with database.transaction() as transaction:
            await transaction.execute(sa.insert(probes), {"id": 1, **VALUES})
            await transaction.execute(sa.insert(probes).values(id=2, status=Status.DRAFT))
        yield
        await connection.execute("DROP TABLE probes; DROP TYPE probe_status")


@pytest.fixture
async def transaction(_table: None, database: Database) -> AsyncIterator[Transaction]:
    """Yield a transaction that is rolled back after the test."""
    with suppress(NotFoundError):
        async with database.transaction() as transaction:
            yield transaction
            raise NotFoundError


async def test_values_are_converted_in_both_directions(transaction: Transaction) -> None:
    columns = [c[name] for name in VALUES]
    row = await transaction.fetch_one(sa.select(*columns).where(c.id == 1))
    assert row._mapping == VALUES
    assert tuple(row) == tuple(VALUES.values())
    assert (row.status, type(row.ratio)) == (Status.SENT, float)
    assert row._mapping[c.cents] == 1234
    assert await transaction.scalar(sa.select(c.cents).where(c.id == 2)) == 0


async def test_textual_rows_contain_values(transaction: Transaction) -> None:
    statement = sa.text("SELECT id, document, status FROM probes WHERE id = :id")
    number, document, status = await transaction.fetch_one(statement, id=1)
    assert (number, document, status) == (1, VALUES["document"], "SENT")
    typed = statement.columns(c.id, c.document, c.status)
    row = await transaction.fetch_one(typed, id=1)
    assert (row.status, row._mapping[c.status]) == (Status.SENT, Status.SENT)
    empty = await transaction.execute(sa.text("SELECT 1 AS one WHERE false"))
    assert (list(empty.keys()), empty.all()) == (["one"], [])


async def test_expressions_get_casts(transaction: Transaction) -> None:
    expressions = [
        c.created_at > sa.func.now() - timedelta(days=1),
        sa.func.jsonb_build_object("n", c.id),
        c.id * Decimal("1.5"),
        c.document["a"][0]["b"].astext,
        sa.tuple_(c.id, c.name).in_([(1, "unnamed")]),
        sa.literal(5),
    ]
    row = await transaction.fetch_one(sa.select(*expressions).where(c.id == 1))
    assert tuple(row) == (True, {"n": 1}, Decimal("1.5"), "c", True, 5)


async def test_parameters_may_be_none_or_expand(transaction: Transaction) -> None:
    for statuses, ids in (([Status.SENT], [1]), ([], []), ([Status.SENT, Status.DRAFT], [1, 2])):
        assert (await transaction.scalars(IDS_BY_STATUS, {"statuses": statuses})).all() == ids
    for number, ids in ((2, [2]), (None, [1, 2]), (1, [1])):
        assert (await transaction.scalars(IDS_BY_OPTIONAL_ID, {"id": number})).all() == ids


async def test_compound_selects(transaction: Transaction) -> None:
    pairs = sa.values(sa.column("n", sa.Integer), sa.column("t", sa.Text), name="pairs").data(
        [(1, "x"), (2, "y")]
    )
    assert await transaction.fetch_all(sa.select(pairs.c.t, pairs.c.n)) == [("x", 1), ("y", 2)]
    cte = sa.select(c.statuses, c.cents).where(c.id == 1).cte()
    row = await transaction.fetch_one(sa.union(sa.select(cte), sa.select(cte)))
    assert tuple(row) == (VALUES["statuses"], 1234)


async def test_duplicate_names_are_matched_by_position(transaction: Transaction) -> None:
    statement = sa.select(c.id, c.name.label("id"), c.id).where(c.id == 1)
    row = await transaction.fetch_one(statement)
    assert tuple(row) == (1, "unnamed", 1)
    with pytest.raises(InvalidRequestError, match="Ambiguous"):
        _ = row._mapping["id"]


async def test_statements_of_the_same_structure_have_their_own_values(
    transaction: Transaction,
) -> None:
    for number in (1, 2, 1):
        label = sa.func.max(c.id).label("found")
        row = await transaction.fetch_one(sa.select(label).where(c.id == number))
        assert (row.found, row._mapping[label]) == (number, number)


async def test_row_counts(transaction: Transaction) -> None:
    statements = [
        sa.update(probes).values(cents=1),
        sa.insert(probes).values([{"id": 3}, {"id": 4}]),
        sa.delete(probes).where(c.id > 2),
    ]
    for statement in statements:
        result: Any = await transaction.execute(statement)
        assert result.rowcount == 2
        with pytest.raises(ResourceClosedError):
            result.all()


async def test_sequence_of_parameters_executes_once_for_each(transaction: Transaction) -> None:
    await transaction.execute(sa.insert(probes), [{"id": 3, "cents": 1}, {"id": 4, "cents": 2}])
    rename = sa.update(probes).where(c.id == sa.bindparam("key")).values(name=sa.bindparam("new"))
    await transaction.execute(rename, [{"key": 3, "new": "c"}, {"key": 4, "new": "d"}])
    statement = sa.select(c.name, c.cents).where(c.id > 2).order_by(c.id)
    assert await transaction.fetch_all(statement) == [("c", 1), ("d", 2)]


async def test_python_defaults_are_used(transaction: Transaction) -> None:
    await transaction.execute(sa.update(probes).where(c.id == 2).values(cents=1))
    statement = sa.select(c.name).order_by(c.id)
    assert (await transaction.scalars(statement)).all() == ["unnamed", "updated"]


async def test_missing_parameter_is_an_error(transaction: Transaction) -> None:
    for statement in (
        sa.text("SELECT CAST(:x AS text)"),
        sa.text("UPDATE probes SET name = :x"),
        IDS_BY_STATUS,
    ):
        with pytest.raises(StatementError, match="A value is required for bind parameter"):
            await transaction.execute(statement, {"y": "a"})
