"""Query plans: every page of a list uses an index, with and without a cursor or a search."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from app.db.repositories.articles import LIST_QUERIES
from app.settings import Settings
from tests.databases import connected, url_from

pytestmark = pytest.mark.usefixtures("clean_database")

# One in a thousand articles contains "whale", the others "fish"; the oldest tenth also "dodo".
INSERT_ARTICLES = """
INSERT INTO articles (title, slug, text)
SELECT 'Number ' || n, 'number-' || n, concat_ws(' ',
    CASE n % 1000 WHEN 0 THEN 'whale' ELSE 'fish' END,
    CASE WHEN n <= 1000 THEN 'dodo' END)
FROM generate_series(1, 10000) AS n
"""
LIST_PAGES = [LIST_QUERIES.query(has_after=after, has_search=False) for after in (False, True)]
SEARCH_PAGES = [LIST_QUERIES.query(has_after=after, has_search=True) for after in (False, True)]


async def explain(
    query: Select[*tuple[object, ...]], q: str, connection: asyncpg.Connection
) -> str:
    """Run a query; return its plan without the nodes that were never executed."""
    # The dialect is untyped.
    compiled = query.compile(dialect=dialect())  # type: ignore[no-untyped-call]
    # This cursor is greater than all IDs, so the page begins with the newest row.
    values = {"limit": 20, "after": UUID(int=2**127), "q": q}
    arguments = ", ".join(
        f"'{values.get(name, compiled.params[name])}'" for name in compiled.positiontup or ()
    )
    await connection.execute(f"PREPARE page AS {compiled}")
    rows = await connection.fetch(f"EXPLAIN ANALYZE EXECUTE page({arguments})")
    await connection.execute("DEALLOCATE page")
    return "\n".join(row[0] for row in rows if "never executed" not in row[0])


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
async def connection(
    settings: Settings, request: pytest.FixtureRequest
) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to a database with many articles, for each kind of plan."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(INSERT_ARTICLES)
        await connection.execute("VACUUM ANALYZE articles")
        await connection.execute(f"SET plan_cache_mode = {request.param}")
        yield connection


async def test_list_reads_primary_key_index_in_order(connection: asyncpg.Connection) -> None:
    for query in LIST_PAGES:
        plan = await explain(query, "", connection)
        assert "Index Scan Backward using pk_articles" in plan
        assert "Sort" not in plan


@pytest.mark.parametrize("q", ["fish", "whale"])
async def test_search_never_scans_whole_table(connection: asyncpg.Connection, q: str) -> None:
    for query in SEARCH_PAGES:
        assert "Seq Scan on articles" not in await explain(query, q, connection)


@pytest.mark.parametrize("q", ["whale", "dodo", "unicorn"])
async def test_search_for_word_missing_in_newest_rows_uses_search_index(
    connection: asyncpg.Connection, q: str
) -> None:
    for query in SEARCH_PAGES:
        assert "ix_articles_search" in await explain(query, q, connection)


async def test_search_for_common_word_reads_newest_rows_only(
    connection: asyncpg.Connection,
) -> None:
    for query in SEARCH_PAGES:
        assert "ix_articles_search" not in await explain(query, "fish", connection)


@pytest.mark.parametrize("q", ["-unicorn", "unicorn or -fish"])
async def test_search_without_required_word_reads_no_rows(
    connection: asyncpg.Connection, q: str
) -> None:
    for query in SEARCH_PAGES:
        assert "Scan on articles" not in await explain(query, q, connection)
