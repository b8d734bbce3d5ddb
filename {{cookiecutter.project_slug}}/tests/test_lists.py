"""Lists: all sorts and filters, NULL and equal values, and concurrent inserts and deletes."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from app.api.cursors import CursorCodec
from app.db import Database
from app.db.keyset import KeysetList, PageRequest
from app.db.repositories.base import Reader
from app.db.search import search_column
from app.settings import Settings
from tests.databases import connected, url_from

CREATE_TABLE = """
CREATE TABLE listed_things (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rank integer, name text NOT NULL, amount numeric(5, 2),
    day date NOT NULL, seen_at timestamptz, state text NOT NULL,
    search_vector tsvector GENERATED ALWAYS AS (to_tsvector('english', name)) STORED
)
"""
# Few values, so that many rows have equal ones.
INSERT = """
INSERT INTO listed_things (rank, name, amount, day, seen_at, state)
SELECT nullif(n % 4, 3) - 1, (ARRAY['', 'Zoë', 'a "b"', 'ä', '日本 whale', 'whale'])[n % 6 + 1],
    nullif(n % 5, 2) * -1.25, date '2026-01-01' + n % 3,
    timestamptz '2026-01-01T00:00:00.000001Z' + nullif(n % 7, 3) * interval '1 microsecond',
    (ARRAY['draft', 'sent'])[n % 2 + 1]
FROM unnest($1::integer[]) AS n
RETURNING id
"""
COLUMNS = ("id", "rank", "name", "amount", "day", "seen_at", "state", "upper_name", "fee")
SORTS = tuple(f"{sign}{name}" for name in COLUMNS for sign in ("", "-"))

things = sa.Table(
    "listed_things",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger),
    sa.Column("rank", sa.Integer),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric(5, 2)),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True)),
    sa.Column("state", sa.Enum("draft", "sent", native_enum=False), nullable=False),
    search_column("name"),
)


class ThingReader(Reader):
    """Reads the things."""

    rows = KeysetList(
        sa.select(
            *(column for column in things.c if column.name != "search_vector"),
            sa.func.upper(things.c.name, type_=sa.Text).label("upper_name"),
            (things.c.amount / 9).label("fee"),
        ),
        sorts=SORTS,
        filters={
            "rank": things.c.rank,
            "amount_above": things.c.amount > sa.bindparam("amount_above"),
            "names": things.c.name == sa.any_(sa.bindparam("names", type_=sa.ARRAY(sa.Text))),
            "is_seen": things.c.seen_at.is_not(None),
        },
        search_vector=things.c.search_vector,
    )


CURSORS = CursorCodec(ThingReader.rows)

FILTERS: dict[str, tuple[str, Any]] = {
    "rank": ("rank = 1", 1),
    "amount_above": ("amount > -3", Decimal(-3)),
    "names": ("name IN ('ä', 'whale')", ["ä", "whale"]),
    "is_seen": ("seen_at IS NULL", False),
}


@pytest.fixture(autouse=True)
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Create the table; yield a connection that can write to it."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(CREATE_TABLE)
        yield connection
        await connection.execute("DROP TABLE listed_things")


async def read_pages(
    database: Database, limit: int, sort: str | None, **options: Any
) -> AsyncIterator[list[int]]:
    """Yield the IDs of each page. Each position is encoded as a cursor and decoded again."""
    after = None
    for _ in range(1000):
        rows = await ThingReader(database).list(PageRequest(limit, sort, after, **options))
        yield [row.id for row in rows[:limit]]
        if len(rows) <= limit:
            return
        cursor_sort, after = CURSORS.decode(CURSORS.encode(sort, rows[limit - 1]))
        assert cursor_sort == sort


async def select_ids(
    connection: asyncpg.Connection, sort: str, conditions: Iterable[str] = ()
) -> list[int]:
    """Return the IDs in the order of a sort, with SQL that has no pages."""
    name = sort.removeprefix("-").replace("upper_name", "upper(name)").replace("fee", "amount/9")
    direction = "DESC NULLS FIRST" if sort.startswith("-") else "ASC NULLS LAST"
    where = " AND ".join(["true", *conditions])
    rows = await connection.fetch(
        f"SELECT id FROM listed_things WHERE {where} ORDER BY {name} {direction}, id {direction}"  # noqa: S608
    )
    return [row["id"] for row in rows]


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_have_every_row_once_in_order(
    database: Database, connection: asyncpg.Connection, sort: str
) -> None:
    await connection.execute(INSERT, range(40))
    pages = [page async for page in read_pages(database, 3, sort)]
    assert {len(page) for page in pages[:-1]} == {3}
    assert [*itertools.chain(*pages)] == await select_ids(connection, sort)


@pytest.mark.parametrize("sort", ["rank", "-rank", "-seen_at", "amount"])
@pytest.mark.parametrize("names", [*itertools.combinations(FILTERS, 2)])
@pytest.mark.parametrize("q", [None, "whale"])
async def test_filters_are_combined_with_every_sort(
    database: Database,
    connection: asyncpg.Connection,
    sort: str,
    names: tuple[str, ...],
    q: str | None,
) -> None:
    await connection.execute(INSERT, range(600))
    conditions = [FILTERS[name][0] for name in names]
    conditions += ["name LIKE '%whale'"] if q else []
    filters = {name: FILTERS[name][1] for name in names}
    pages = read_pages(database, 7, sort, filters=filters, q=q)
    listed = [key async for page in pages for key in page]
    assert listed == await select_ids(connection, sort, conditions)


async def test_matches_at_the_end_of_the_list_are_found(
    database: Database, connection: asyncpg.Connection
) -> None:
    # Only the last rows of the list match, and their sort value is NULL.
    await connection.execute(INSERT, [0, 1] * 400 + [3, 9] * 10)
    filters = {"amount_above": Decimal("-3.8"), "names": ['a "b"', "ä"]}
    conditions = ["amount > -3.8", "name IN ('a \"b\"', 'ä')", "rank IS NULL"]
    await connection.execute("UPDATE listed_things SET amount = -10 WHERE rank IS NOT NULL")
    pages = read_pages(database, 3, "rank", filters=filters)
    listed = [key async for page in pages for key in page]
    assert len(listed) == 10
    assert listed == await select_ids(connection, "rank", conditions)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("q", [None, "whale"])
async def test_concurrent_writes_neither_hide_nor_repeat_rows(
    database: Database, connection: asyncpg.Connection, sort: str, q: str | None
) -> None:
    rng = random.Random(sort)  # noqa: S311 - not a secret
    lasting = {row["id"] for row in await connection.fetch(INSERT, range(40))}
    expected = await select_ids(connection, sort, ["name LIKE '%whale'"] if q else [])

    async def write() -> None:
        # Without a limit, rows that are inserted at the end would make the list endless.
        if len(lasting) < 3:
            return
        await connection.execute(INSERT, [rng.randrange(420) for _ in range(5)])
        removed = set(rng.sample(sorted(lasting), 2))
        lasting.difference_update(removed)
        await connection.execute("DELETE FROM listed_things WHERE id = ANY($1)", removed)

    listed: list[int] = []
    pages = read_pages(database, 3, sort, q=q)
    page: list[int] | None = []
    while page is not None:
        listed += page
        page, _ = await asyncio.gather(anext(pages, None), write())
    assert len(listed) == len(set(listed))
    assert [key for key in listed if key in lasting] == [key for key in expected if key in lasting]
