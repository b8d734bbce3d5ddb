"""Common table expressions as SQLAlchemy documents them: recursive, with DML, and nested.

https://docs.sqlalchemy.org/en/21/core/selectable.html#sqlalchemy.sql.expression.HasCTE.cte
"""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from app.db import Database, Transaction
from app.settings import Settings
from tests.databases import created_tables, url_from
from tests.sql.accounts import fetch

metadata = sa.MetaData()
orders = sa.Table(
    "orders_of_tests",
    metadata,
    sa.Column("region", sa.Text),
    sa.Column("amount", sa.Numeric(10, 2)),
    sa.Column("product", sa.Text),
    sa.Column("quantity", sa.Integer),
)
parts = sa.Table(
    "parts_of_tests",
    metadata,
    sa.Column("part", sa.Text),
    sa.Column("sub_part", sa.Text),
    sa.Column("quantity", sa.Integer),
)
archive = sa.Table(
    "archive_of_tests", metadata, sa.Column("part", sa.Text), sa.Column("quantity", sa.Integer)
)
ORDERS = [("north", 100, "tea", 1), ("south", 5, "tea", 2), ("north", 20, "pie", 3)]
PARTS = [("car", "engine", 1), ("car", "wheel", 4), ("wheel", "bolt", 5), ("engine", "bolt", 8)]


@pytest.fixture(scope="module", autouse=True)
async def _tables(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Create the tables with their rows, and drop them after the module."""
    async with created_tables(url_from(settings), metadata):
        async with database.transaction() as transaction:
            await transaction.execute(sa.insert(orders).values(ORDERS))
            await transaction.execute(sa.insert(parts).values(PARTS))
        yield


async def test_non_recursive(database: Database) -> None:
    sales = (
        sa.select(orders.c.region, sa.func.sum(orders.c.amount).label("total"))
        .group_by(orders.c.region)
        .cte("regional_sales")
    )
    top = (
        sa.select(sales.c.region)
        .where(sales.c.total > sa.select(sa.func.sum(sales.c.total) / 10).scalar_subquery())
        .cte("top_regions")
    )
    statement = (
        sa.select(orders.c.product, sa.func.sum(orders.c.quantity), sa.func.sum(orders.c.amount))
        .where(orders.c.region.in_(sa.select(top.c.region)))
        .group_by(orders.c.product)
        .order_by(orders.c.product)
    )
    assert await fetch(database, statement) == [("pie", 3, 20), ("tea", 1, 100)]


async def test_recursive(database: Database) -> None:
    included = (
        sa.select(parts.c.sub_part, parts.c.part, parts.c.quantity)
        .where(parts.c.part == sa.bindparam("root", "car"))
        .cte(recursive=True)
    )
    parent, child = included.alias(), parts.alias()
    included = included.union_all(
        sa.select(child.c.sub_part, child.c.part, child.c.quantity * parent.c.quantity).where(
            child.c.part == parent.c.sub_part
        )
    )
    statement = (
        sa.select(included.c.sub_part, sa.func.sum(included.c.quantity).label("total"))
        .group_by(included.c.sub_part)
        .order_by(included.c.sub_part)
    )
    assert await fetch(database, statement) == [("bolt", 28), ("engine", 1), ("wheel", 4)]


async def test_update_in_cte_then_insert(transaction: Transaction) -> None:
    async def upsert(part: str, quantity: int) -> None:
        updated = (
            sa.update(archive)
            .where(archive.c.part == part)
            .values(quantity=quantity)
            .returning(archive.c.part)
            .cte("updated")
        )
        missing = sa.select(sa.literal(part), sa.literal(quantity)).where(
            ~sa.exists(sa.select(updated.c.part))
        )
        await transaction.execute(sa.insert(archive).from_select(["part", "quantity"], missing))

    await upsert("bolt", 1)
    await upsert("bolt", 2)
    assert await transaction.fetch_all(sa.select(archive)) == [("bolt", 2)]


async def test_deleted_rows_are_inserted(transaction: Transaction) -> None:
    deleted = sa.delete(parts).where(parts.c.quantity > 4).returning(parts).cte("deleted")
    statement = (
        sa.insert(archive)
        .from_select(["part", "quantity"], sa.select(deleted.c.sub_part, deleted.c.quantity))
        .returning(archive)
    )
    assert sorted(await transaction.fetch_all(statement)) == [("bolt", 5), ("bolt", 8)]
    assert await transaction.scalar(sa.select(sa.func.count()).select_from(parts)) == 2


async def test_select_from_inserted_rows(transaction: Transaction) -> None:
    inserted = (
        sa.insert(archive)
        .values([{"part": "a", "quantity": 1}, {"part": "b", "quantity": 2}])
        .returning(archive)
        .cte("inserted")
    )
    result = await transaction.execute(sa.select(sa.func.sum(inserted.c.quantity)))
    assert result.scalar_one() == 3


async def test_independent_cte(transaction: Transaction) -> None:
    deleting = sa.delete(orders).where(orders.c.product == "tea").cte("deleting")
    statement = sa.select(sa.literal(1)).add_cte(deleting)
    assert await transaction.scalar(statement) == 1
    products = (await transaction.scalars(sa.select(orders.c.product))).all()
    assert products == ["pie"]


async def test_nested_cte_and_materialized_cte(database: Database) -> None:
    inner = sa.select(orders.c.amount).where(orders.c.region == "north").cte("t", nesting=True)
    outer = sa.select(inner.c.amount * 2).cte("t2")
    statement = sa.select(sa.func.sum(outer.c[0]))
    assert await fetch(database, statement) == [(240,)]
    materialized = (
        sa.select(parts.c.part)
        .distinct()
        .cte("m")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    names = sa.select(materialized).order_by(materialized.c.part)
    assert await fetch(database, names) == [("car",), ("engine",), ("wheel",)]
