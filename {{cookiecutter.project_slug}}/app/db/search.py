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


def search_column(text: str) -> Column[str]:
    """Return a column that the server generates from `text`, an SQL expression.

    A stored vector saves parsing the text at every search. It is about as large as the text, so
    entities do not load it and writers do not return it.
    """
    vector = Computed(f"to_tsvector('english', {text})", persisted=True)
    return Column("search_vector", TSVECTOR, vector)


def returned_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of `table` that writers return: all except search vectors."""
    return [column for column in table.c if not isinstance(column.type, TSVECTOR)]


class SearchLimits:
    """Limits the duration of a search and the number of concurrent searches.

    The cost of a search grows with the number of rows that contain its words, which no index
    limits.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        # A third of the pool, so that searches alone never keep other requests waiting.
        self._slots = asyncio.Semaphore(max(1, settings.pool_max_size // 3))
        self._pool_timeout = settings.pool_timeout
        # A limit of the server, since a query can outlive a timeout of the client. SET LOCAL also
        # works through a connection pooler, and needs no round trip in the same message as BEGIN.
        timeout = min(settings.search_timeout, settings.statement_timeout)
        milliseconds = ceil(timeout * 1000)
        self._begin = f"BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds}"

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the slots for searches.

        Raises `UnavailableError` if none becomes free within the pool's timeout.
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

        `driver` is asyncpg's connection; it is closed if the block raises.
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
