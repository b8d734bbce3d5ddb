"""Filters compare exactly, with any value of a client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from app.api.dependencies import DatabaseDep
from app.db import Database
from app.db.keyset import KeysetList, PageRequest
from app.db.repositories.base import Reader
from app.main import create_app
from app.settings import Settings
from tests.databases import created_tables, url_from


class Money(sa.TypeDecorator[Decimal]):
    """An amount whose values are in thousands in Python."""

    impl = sa.Numeric(7, 2)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _: Any) -> Decimal | None:
        return value and value * 1000


class Even(sa.TypeDecorator[int]):
    """An integer that is halved in Python."""

    impl = sa.SmallInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, _: Any) -> int | None:
        return value and value * 2


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
metadata = sa.MetaData()
prices = sa.Table(
    "prices_of_tests",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("amount", sa.Numeric(7, 2)),
    sa.Column("money", Money),
    sa.Column("number", sa.Integer),
    sa.Column("rank", sa.SmallInteger),
    sa.Column("even", Even),
    sa.Column("code", sa.String(3)),
    sa.Column("seen_at", TIMESTAMP(timezone=True, precision=0)),
    sa.Column("numbers", ARRAY(sa.Integer)),
)
c = prices.c
ROW = {
    "id": 1,
    "amount": Decimal("1.00"),
    "money": Decimal("0.001"),
    "number": 7,
    "rank": 7,
    "even": 7,
    "code": "abc",
    "seen_at": NOON,
    "numbers": [7],
}
x: sa.BindParameter[Any] = sa.bindparam("x")


def any_of(type_: Any) -> Any:
    return sa.any_(sa.bindparam("x", type_=ARRAY(type_)))


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application to which a test adds a route."""
    return create_app(settings)


@pytest.fixture(autouse=True)
async def table(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Create the table with one row, and drop it after the test."""
    async with created_tables(url_from(settings), metadata):
        async with database.transaction() as transaction:
            await transaction.execute(sa.insert(prices), ROW)
        yield


@pytest.mark.parametrize(
    ("condition", "value", "is_match"),
    [
        (c.amount == x, Decimal("1.00"), True),
        (c.amount == x, Decimal("1.004"), False),
        (c.amount != x, Decimal("1.004"), True),
        (c.amount < x, Decimal("1.004"), True),
        (c.amount > x, Decimal("0.996"), True),
        (c.amount >= x, Decimal("1.004"), False),
        (c.amount < x, Decimal("1e20"), True),
        (c.amount == x, Decimal("1e20"), False),
        (c.amount * 2 == x, Decimal("2.004"), False),
        (c.amount == any_of(sa.Numeric(7, 2)), [Decimal("1.004"), Decimal("1e20")], False),
        (c.amount == any_of(sa.Numeric(7, 2)), [Decimal(1)], True),
        (c.amount.between(0, x), Decimal("1.004"), True),
        (c.amount.between(x, 5), Decimal("1.004"), False),
        (c.amount.in_(sa.bindparam("x", expanding=True)), [Decimal("1.004")], False),
        (sa.and_(c.id > 0, c.amount.is_distinct_from(x)), Decimal("1.004"), True),
        (sa.not_(c.amount == x), Decimal("1.004"), True),
        (c.money == x, Decimal("0.001"), True),
        (c.number == x, 7, True),
        (c.number == x, 2**40, False),
        (c.number < x, 2**40, True),
        (c.number > x, -(2**40), True),
        (c.number == any_of(sa.Integer), [2**40, 7], True),
        (sa.or_(sa.bindparam("x", type_=sa.Integer).is_(None), c.number < x), 2**40, True),
        (sa.or_(sa.bindparam("x", type_=sa.Integer).is_(None), c.number < x), None, True),
        (c.rank < x, 2**20, True),
        (c.even == x, 7, True),
        (c.code == x, "abcd", False),
        (c.code == any_of(sa.String(3)), ["abcd"], False),
        (c.code == any_of(sa.String(3)), ["abc"], True),
        (c.seen_at == x, NOON + timedelta(seconds=0.1), False),
        (c.seen_at < x, NOON + timedelta(seconds=0.1), True),
        # Operands that must keep their type.
        (sa.func.left(c.code, sa.bindparam("x", type_=sa.Integer)) == "ab", 2, True),
        (c.numbers == x, [7], True),
        (c.numbers.contains(x), [7], True),
    ],
)
async def test_filter_compares_exactly(
    database: Database, condition: sa.ColumnElement[bool], value: Any, is_match: bool
) -> None:
    listing = KeysetList(sa.select(c.id), filters={"x": condition})
    rows = await Reader(database).fetch_page(listing, PageRequest(5, filters={"x": value}))
    assert len(rows) == is_match


async def test_invalid_value_of_path_or_query_is_not_in_the_body(
    app: FastAPI, committing_client: AsyncClient
) -> None:
    @app.get("/prices/{number}")
    async def count_prices(number: int, least: int, database: DatabaseDep) -> int:
        statement = sa.select(c.id).where(c.number == number, c.id >= least)
        return len(await Reader(database).fetch_all(statement))

    assert (await committing_client.get("/prices/7?least=1")).json() == 1
    for url in ("/prices/99999999999?least=1", "/prices/7?least=99999999999999999999"):
        response = await committing_client.get(url)
        assert response.status_code == 422
        assert [error["loc"] for error in response.json()["errors"]] == [[]]
