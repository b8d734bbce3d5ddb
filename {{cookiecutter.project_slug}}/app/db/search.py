"""Full-text search: a stored column of words, and limits on how long and how many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import ceil
from typing import Any

from asyncpg import InterfaceError
from sqlalchemy import Column, Computed, Table
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.errors import UnavailableError
from app.settings import DatabaseSettings


def search_column(text: str) -> Column[str]:
    """Return a column that the server fills with the words of `text`, an SQL expression.

    A stored vector is searched without parsing the text again. It weighs about as much as the
    text, so no entity has it, and no writer returns it.
    """
    words = Computed(f"to_tsvector('english', {text})", persisted=True)
    return Column("search_vector", TSVECTOR, words)


def returned_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of `table` that a writer returns: all but search vectors."""
    return [column for column in table.c if not isinstance(column.type, TSVECTOR)]


class SearchLimits:
    """Bounds how long a search runs, and how many run at once.

    The cost of a search depends on how many rows have its words, so no index bounds it.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        # A third of the pool, so that searches alone never keep other requests waiting.
        self._slots = asyncio.Semaphore(max(1, settings.pool_max_size // 3))
        self._pool_timeout = settings.pool_timeout
        # The server enforces it: a query may outlive a timeout of the client. SET LOCAL works
        # through a connection pooler too, and in the message that begins it costs no round trip.
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
        """Run the block in a read-only transaction with the limits, on asyncpg's connection.

        The connection is closed if the block raises.
        """
        try:
            await driver.execute(self._begin)
            yield
            await driver.execute("COMMIT")
        except BaseException as error:
            # It may be closed already.
            with suppress(InterfaceError):
                driver.terminate()
            if isinstance(error, TimeoutError):
                raise UnavailableError("The database does not answer.") from error
            raise
