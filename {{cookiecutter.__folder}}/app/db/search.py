"""Limits on full-text searches.

The cost of a search depends on how many rows have its words, so no index bounds it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from typing import Any

from app.errors import UnavailableError
from app.settings import DatabaseSettings


class SearchLimits:
    """How long a search may run, and how many may run at once."""

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
            driver.terminate()
            if isinstance(error, TimeoutError):
                raise UnavailableError("The database does not answer.") from error
            raise
