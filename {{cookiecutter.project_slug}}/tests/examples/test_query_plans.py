"""Query plans: every page of a list uses an index, for each sort, filter and search."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from app.db.keyset import Shape
from app.db.keyset_order import Page
from app.db.repositories.articles import ARTICLE_LIST
from app.db.repositories.coupons import REDEMPTION_LIST, SELECT_NEWEST_REDEMPTIONS
from app.settings import Settings
from tests.databases import connected, url_from

pytestmark = pytest.mark.usefixtures("clean_database")

# One in a thousand articles contains "whale", the others "fish"; the oldest tenth also "dodo".
# Titles are in the order of the creation, a minute apart, which no estimate expects.
INSERT_ARTICLES = """
INSERT INTO articles (title, slug, text, created_at)
SELECT 'Number ' || lpad(n::text, 5, '0'), 'number-' || n, concat_ws(' ',
    CASE n % 1000 WHEN 0 THEN 'whale' ELSE 'fish' END,
    CASE WHEN n <= 1000 THEN 'dodo' END),
    timestamptz '2026-01-01T00:00:00Z' + n * interval '1 minute'
FROM generate_series(1, 10000) AS n
"""
INSERT_REDEMPTIONS = """
WITH new AS (
    INSERT INTO coupons (code, init_count, remaining_count)
    SELECT 'code ' || n, 1000, 0 FROM generate_series(1, 20) AS n RETURNING id
)
INSERT INTO redemptions (coupon_id) SELECT id FROM new, generate_series(1, 1000)
"""
INDEXES = {
    None: "pk_articles",
    "created_at": "ix_articles_created_at_id",
    "title": "ix_articles_title_id",
}
PAGES: tuple[Page, ...] = ("first", "after_value")
#: The newest article, and the first in the order of titles.
NEWEST, OLDEST = datetime(2026, 1, 7, 22, 40, tzinfo=UTC), datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
#: Before the first row in each order.
FIRST_POSITIONS: dict[str | None, object] = {
    None: None,
    "created_at": OLDEST,
    "-created_at": NEWEST,
    "title": "A",
    "-title": "Z",
}


async def explain(
    query: Select[*tuple[object, ...]], connection: asyncpg.Connection, **values: object
) -> str:
    """Run a query; return its plan without the nodes that were never executed."""
    # The dialect is untyped.
    compiled = query.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    values = {"limit": 20, **values}
    arguments = ", ".join(
        f"'{values.get(name, compiled.params[name])}'" for name in compiled.positiontup or ()
    )
    await connection.execute(f"PREPARE page AS {compiled}")
    rows = await connection.fetch(f"EXPLAIN ANALYZE EXECUTE page({arguments})")
    await connection.execute("DEALLOCATE page")
    return "\n".join(row[0] for row in rows if "never executed" not in row[0])


async def explain_pages(
    connection: asyncpg.Connection, sort: str | None = None, q: str = "", **filters: object
) -> list[str]:
    """Return the plans of a first and a next page, which both begin with the first row."""
    is_descending = sort is None or sort.startswith("-")
    values = {
        "after_key": UUID(int=2**127 if is_descending else 0),
        "after_value": FIRST_POSITIONS[sort],
        "q": q,
        **filters,
    }
    names = tuple((name, None) for name in filters)
    shapes = [Shape(sort, page, names, bool(q)) for page in PAGES]
    queries = [ARTICLE_LIST.statement(shape).query for shape in shapes]
    return [await explain(query, connection, **values) for query in queries]


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
async def connection(
    settings: Settings, request: pytest.FixtureRequest
) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to a database with many rows, for each kind of plan."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(INSERT_ARTICLES)
        await connection.execute(INSERT_REDEMPTIONS)
        await connection.execute("VACUUM ANALYZE articles, coupons, redemptions")
        await connection.execute(f"SET plan_cache_mode = {request.param}")
        yield connection


@pytest.mark.parametrize("sort", [None, *ARTICLE_LIST.sorts])
async def test_list_reads_index_in_order(connection: asyncpg.Connection, sort: str | None) -> None:
    is_descending = sort is None or sort.startswith("-")
    index = INDEXES[sort and sort.removeprefix("-")]
    scan = f"Index Scan{' Backward' * is_descending} using {index}"
    for plan in await explain_pages(connection, sort):
        assert scan in plan
        assert "Sort" not in plan
        assert "Filter" not in plan


@pytest.mark.parametrize("sort", ["created_at", "-created_at"])
async def test_filter_on_sort_column_is_a_range_of_its_index(
    connection: asyncpg.Connection, sort: str
) -> None:
    for plan in await explain_pages(connection, sort, created_after=OLDEST, created_before=NEWEST):
        assert "using ix_articles_created_at_id" in plan
        assert "Sort" not in plan
        assert "Filter" not in plan


@pytest.mark.parametrize("sort", ["title", "-title"])
@pytest.mark.parametrize("q", ["", "whale"])
@pytest.mark.parametrize("bounds", [(OLDEST, OLDEST), (OLDEST.replace(hour=1), NEWEST)])
async def test_other_filters_never_scan_whole_table(
    connection: asyncpg.Connection, sort: str, q: str, bounds: tuple[datetime, datetime]
) -> None:
    after, before = bounds
    for plan in await explain_pages(
        connection, sort, q, created_after=after, created_before=before
    ):
        assert "Seq Scan on articles" not in plan
        assert "rows=10000" not in plan


@pytest.mark.parametrize("sort", ARTICLE_LIST.sorts)
@pytest.mark.parametrize("q", ["fish", "whale"])
async def test_search_never_scans_whole_table(
    connection: asyncpg.Connection, sort: str, q: str
) -> None:
    for plan in await explain_pages(connection, sort, q):
        assert "Seq Scan on articles" not in plan


@pytest.mark.parametrize("sort", ["-created_at", "-title"])
@pytest.mark.parametrize("q", ["whale", "dodo", "unicorn"])
async def test_search_for_word_missing_in_first_rows_uses_search_index(
    connection: asyncpg.Connection, sort: str, q: str
) -> None:
    for plan in await explain_pages(connection, sort, q):
        assert "ix_articles_search" in plan


@pytest.mark.parametrize("sort", ARTICLE_LIST.sorts)
async def test_search_for_common_word_reads_first_rows_only(
    connection: asyncpg.Connection, sort: str
) -> None:
    for plan in await explain_pages(connection, sort, "fish"):
        assert "ix_articles_search" not in plan


@pytest.mark.parametrize("q", ["-unicorn", "unicorn or -fish"])
async def test_search_without_required_word_reads_no_rows(
    connection: asyncpg.Connection, q: str
) -> None:
    for plan in await explain_pages(connection, "-created_at", q):
        assert "Scan on articles" not in plan


async def test_redemptions_of_a_coupon_read_index_in_order(connection: asyncpg.Connection) -> None:
    coupon_id = await connection.fetchval("SELECT id FROM coupons LIMIT 1")
    for page in PAGES:
        query = REDEMPTION_LIST.statement(Shape(page=page)).query
        plan = await explain(query, connection, coupon_id=coupon_id, after_key=UUID(int=2**127))
        assert "using ix_redemptions_coupon_id_id" in plan
        assert "Sort" not in plan


async def test_newest_redemptions_read_few_rows(connection: asyncpg.Connection) -> None:
    ids = [str(row["id"]) for row in await connection.fetch("SELECT id FROM coupons")]
    values = {"coupon_ids": f"{{{','.join(ids)}}}", "limit": 5}
    plan = await explain(SELECT_NEWEST_REDEMPTIONS, connection, **values)
    assert "using ix_redemptions_coupon_id_id" in plan
    assert "Seq Scan on redemptions" not in plan
