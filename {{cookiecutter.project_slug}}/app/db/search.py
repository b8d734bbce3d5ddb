"""Full-text search: a generated `tsvector` column, and limits on the load that searches cause."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from typing import Any

from sqlalchemy import Column, Computed, Table
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.db.guarded_connection import terminate
from app.errors import UnavailableError
from app.settings import DatabaseSettings

#: PostgreSQL's rules for words of a language. Columns and queries must use the same rules. A change
#: needs a migration that generates the columns again.
TEXT_SEARCH_CONFIGURATION = "english"


def search_column(text: str) -> Column[str]:
    """Return a column that the server generates from `text`, an SQL expression.

    A stored vector saves parsing the text at every search. The vector is about as large as the
    text, so no query of a reader or writer returns it.
    """
    vector = Computed(f"to_tsvector('{TEXT_SEARCH_CONFIGURATION}', {text})", persisted=True)
    return Column("search_vector", TSVECTOR, vector)


def columns_without_search_vector(table: Table) -> list[Column[Any]]:
    """Return the columns of `table` except its search vectors."""
    return [column for column in table.c if not isinstance(column.type, TSVECTOR)]


class SearchLimits:
    """Limits on the duration of a search and on the number of concurrent searches.

    The limits are needed because the cost of a search grows with the number of rows that contain
    its words, even with an index.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        # A third of the pool, so that searches leave connections to other requests.
        self._slots = asyncio.Semaphore(max(1, settings.pool_max_size // 3))
        self._pool_timeout = settings.pool_timeout
        # The server enforces the timeout, because after a timeout of the client, the server could
        # still run the query. SET LOCAL also works through a connection pooler. In one message with
        # BEGIN, it needs no additional round trip.
        timeout = min(settings.search_timeout, settings.statement_timeout)
        milliseconds = ceil(timeout * 1000)
        self._begin = (
            f"BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds};"
            # A generic plan does not know how many rows match the values of this search.
            " SET LOCAL plan_cache_mode = force_custom_plan"
        )

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the slots for searches.

        Raises `UnavailableError` if no slot becomes free within the pool's timeout.
        """
        try:
            async with asyncio.timeout(self._pool_timeout):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnavailableError("Too many searches are running.") from error
        try:
            yield
        finally:
            self._slots.release()

    @asynccontextmanager
    async def transaction(self, driver: Any) -> AsyncIterator[None]:
        """Run the block in a read-only transaction with the statement timeout of searches.

        `driver` is asyncpg's connection. If the block raises an exception, the connection is
        closed, because the statement may still be running.

        Raises `UnavailableError` if a statement exceeds its command timeout.
        """
        try:
            await driver.execute(self._begin)
            yield
            await driver.execute("COMMIT")
        except BaseException as error:
            terminate(driver)
            if isinstance(error, TimeoutError):
                raise UnavailableError("The database does not respond.") from error
            raise
