"""Every page of a list comes from an index, wherever it is and whatever it searches for."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from app.db.repositories.articles import PAGES
from app.settings import Settings
from tests.databases import address_in, connected

pytestmark = pytest.mark.usefixtures("committed")

# Most speak of fish, one in a thousand of a whale, and the oldest tenth of a dodo.
MANY = """
INSERT INTO articles (title, slug, text)
SELECT 'Number ' || n, 'number-' || n, concat_ws(' ',
    CASE n % 1000 WHEN 0 THEN 'whale' ELSE 'fish' END,
    CASE WHEN n <= 1000 THEN 'dodo' END)
FROM generate_series(1, 10000) AS n
"""


async def plan_of(page: frozenset[str], word: str, connection: asyncpg.Connection) -> str:
    """Return how the server finds the second page, or the first, for a search or for none.

    Nodes that it comes to do without are left out.
    """
    # The dialect has no types.
    compiled = PAGES.statements[page].compile(dialect=dialect())  # type: ignore[no-untyped-call]
    values = {"limit": 20, "after": UUID(int=2**127), "q": word}
    arguments = ", ".join(
        f"'{values.get(name, compiled.params[name])}'" for name in compiled.positiontup or ()
    )
    await connection.execute(f"PREPARE page AS {compiled}")
    rows = await connection.fetch(f"EXPLAIN ANALYZE EXECUTE page({arguments})")
    await connection.execute("DEALLOCATE page")
    return "\n".join(row[0] for row in rows if "never executed" not in row[0])


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with many articles."""
    async with connected(address_in(settings)) as connection:
        await connection.execute(MANY)
        await connection.execute("VACUUM ANALYZE articles")
        yield connection


async def test_no_page_reads_the_whole_table(connection: asyncpg.Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for page in PAGES.statements:
            for word in ("fish", "whale"):
                assert "Seq Scan on articles" not in await plan_of(page, word, connection)
        for page in (frozenset[str](), frozenset({"after"})):
            plan = await plan_of(page, "", connection)
            assert "Index Scan Backward using pk_articles" in plan
            assert "Sort" not in plan


@pytest.mark.parametrize("word", ["whale", "dodo", "unicorn"])
async def test_a_word_that_new_rows_lack_is_found_by_the_index_of_words(
    connection: asyncpg.Connection, word: str
) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for page in (frozenset({"q"}), frozenset({"after", "q"})):
            assert "ix_articles_search" in await plan_of(page, word, connection)


async def test_a_word_that_new_rows_have_is_found_there(connection: asyncpg.Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for page in (frozenset({"q"}), frozenset({"after", "q"})):
            assert "ix_articles_search" not in await plan_of(page, "fish", connection)


async def test_a_search_for_exclusions_reads_nothing(connection: asyncpg.Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for page in (frozenset({"q"}), frozenset({"after", "q"})):
            for q in ("-unicorn", "unicorn or -fish"):
                assert "Scan on articles" not in await plan_of(page, q, connection)
