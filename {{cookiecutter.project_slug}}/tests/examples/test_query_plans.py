"""Query plans: every page of a list uses an index, for each sort, filter and search."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from app.db.keyset import Shape
from app.db.keyset_order import Page
from app.db.repositories.articles import ArticleReader
from app.db.repositories.coupons import REDEMPTION_LIST, SELECT_NEWEST_REDEMPTIONS
from tests.databases import (
    connected,
    create_database,
    database_url,
    drop_database,
    ensure_template_database,
)

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
ARTICLES = ArticleReader.rows
PAGES: tuple[Page, ...] = ("first", "after_value")
NEWEST, OLDEST = datetime(2026, 1, 7, 22, 40, tzinfo=UTC), datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
MIDDLE = OLDEST + (NEWEST - OLDEST) / 2
#: Sort values of the positions of next pages.
POSITIONS: dict[str | None, object] = {
    "created_at": MIDDLE,
    "-created_at": MIDDLE,
    "title": "A",
    "-title": "Z",
}


async def explain(
    query: Select[*tuple[object, ...]], connection: asyncpg.Connection, **values: object
) -> str:
    """Run a query; return its plan without the nodes that were never executed.

    A prepared statement may get a generic plan after five executions, so this is the sixth.
    """
    # The dialect is untyped.
    compiled = query.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    values = {"limit": 20, **values}
    arguments = ", ".join(
        f"'{values.get(name, compiled.params[name])}'" for name in compiled.positiontup or ()
    )
    await connection.execute(f"PREPARE page AS {compiled}")
    for _ in range(6):
        rows = await connection.fetch(f"EXPLAIN ANALYZE EXECUTE page({arguments})")
    await connection.execute("DEALLOCATE page")
    return "\n".join(row[0] for row in rows if "never executed" not in row[0])


async def explain_pages(
    connection: asyncpg.Connection, sort: str | None = None, q: str = "", **filters: object
) -> list[str]:
    """Return the plans of a first and a next page."""
    is_descending = sort is None or sort.startswith("-")
    after_key = UUID(int=2**127 if is_descending else 0)
    values = {"after_key": after_key, "after_value": POSITIONS.get(sort), "q": q, **filters}
    names = tuple((name, None) for name in filters)
    shapes = [Shape(sort, page, names, bool(q)) for page in PAGES]
    statements = [ARTICLES.statement(shape) for shape in shapes]
    if statements[0].is_search:
        await connection.execute("SET plan_cache_mode = force_custom_plan")
    return [await explain(statement.query, connection, **values) for statement in statements]


@pytest.fixture(scope="module")
async def filled_database(server: str, server_data_dir: Path) -> AsyncIterator[str]:
    """Yield the URL of a database with many rows, which is copied from the migrated template."""
    await ensure_template_database(server, server_data_dir.name)
    name = await create_database(server, template=server_data_dir.name)
    async with connected(database_url(server, name)) as connection:
        await connection.execute(INSERT_ARTICLES)
        await connection.execute(INSERT_REDEMPTIONS)
        await connection.execute("VACUUM ANALYZE articles, coupons, redemptions")
    yield database_url(server, name)
    await drop_database(server, name)


@pytest.fixture
async def connection(filled_database: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the filled database."""
    async with connected(filled_database) as connection:
        yield connection


@pytest.mark.parametrize("sort", [None, *ARTICLES.sorts])
async def test_list_reads_index_in_order(connection: asyncpg.Connection, sort: str | None) -> None:
    is_descending = sort is None or sort.startswith("-")
    index = f"ix_articles_{sort.removeprefix('-')}_id" if sort else "pk_articles"
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
        # The scan begins at the position, not at the bound of the filter.
        assert int(plan.partition("shared hit=")[2].split()[0]) < 20


@pytest.mark.parametrize("sort", ["title", "-title"])
@pytest.mark.parametrize("q", ["", "fish"])
@pytest.mark.parametrize(
    "filters",
    [
        {"created_after": NEWEST},
        {"created_before": OLDEST},
        {"created_after": NEWEST - timedelta(minutes=30)},
        {"created_before": OLDEST + timedelta(minutes=30)},
        {"created_after": OLDEST, "created_before": NEWEST},
    ],
)
async def test_filter_on_other_column_never_reads_whole_table(
    connection: asyncpg.Connection, sort: str, q: str, filters: dict[str, datetime]
) -> None:
    for plan in await explain_pages(connection, sort, q, **filters):
        assert "Seq Scan on articles" not in plan
        assert not re.search(r"actual time=\S+ rows=(9\d{3}|10000)", plan)


@pytest.mark.parametrize("sort", ARTICLES.sorts)
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


@pytest.mark.parametrize("sort", ARTICLES.sorts)
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


async def test_redemptions_are_read_from_their_index(connection: asyncpg.Connection) -> None:
    ids = [str(row["id"]) for row in await connection.fetch("SELECT id FROM coupons")]
    one = {"coupon_id": ids[0], "after_key": UUID(int=2**127)}
    plans = [
        await explain(REDEMPTION_LIST.statement(Shape(page=page)).query, connection, **one)
        for page in PAGES
    ]
    assert not any("Sort" in plan for plan in plans)
    several = "{" + ",".join(ids) + "}"
    plans.append(await explain(SELECT_NEWEST_REDEMPTIONS, connection, coupon_ids=several))
    for plan in plans:
        assert "using ix_redemptions_coupon_id_id" in plan
