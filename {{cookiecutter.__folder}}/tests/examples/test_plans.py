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

# Most speak of fish, and one in a thousand of a whale.
MANY = """
INSERT INTO articles (title, slug, text)
SELECT 'Number ' || n, 'number-' || n, CASE n % 1000 WHEN 0 THEN 'whale' ELSE 'fish' END
FROM generate_series(1, 10000) AS n
"""


async def plan_of(page: frozenset[str], word: str, connection: asyncpg.Connection) -> str:
    """How the server would find the second page, or the first, for a search or for none."""
    # The dialect has no types.
    compiled = PAGES.statements[page].compile(dialect=dialect())  # type: ignore[no-untyped-call]
    values = {"limit": 20, "after": UUID(int=2**127), "q": word}
    arguments = ", ".join(
        f"'{values.get(name, compiled.params[name])}'" for name in compiled.positiontup or ()
    )
    await connection.execute(f"PREPARE page AS {compiled}")
    rows = await connection.fetch(f"EXPLAIN EXECUTE page({arguments})")
    await connection.execute("DEALLOCATE page")
    return "\n".join(row[0] for row in rows)


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with many articles."""
    async with connected(address_in(settings)) as connection:
        await connection.execute(MANY)
        await connection.execute("ANALYZE articles")
        yield connection


async def test_no_page_reads_the_whole_table(connection: asyncpg.Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for page in PAGES.statements:
            for word in ("fish", "whale"):
                assert "Seq Scan" not in await plan_of(page, word, connection)
        for page in (frozenset[str](), frozenset({"after"})):
            plan = await plan_of(page, "", connection)
            assert "Index Scan Backward using pk_articles" in plan
            assert "Sort" not in plan


async def test_a_rare_word_is_found_by_the_index_of_words(connection: asyncpg.Connection) -> None:
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    for page in (frozenset({"q"}), frozenset({"after", "q"})):
        assert "ix_articles_search" in await plan_of(page, "whale", connection)
