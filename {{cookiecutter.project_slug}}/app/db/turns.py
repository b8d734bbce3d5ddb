"""A queue in front of the connection pool."""

import asyncio
import logging
from time import monotonic
from typing import Literal

from asyncpg.exceptions import TooManyConnectionsError

logger = logging.getLogger(__name__)

# Seconds: before another attempt to connect to a full server, and between two warnings.
_PAUSE = 1
_QUIET = 10


class Turns(asyncio.Semaphore):
    """Admits as many callers as a pool may have connections, in the order of their arrival."""

    #: How many have a turn.
    admitted = 0
    _next_warning = 0.0

    async def take(self, deadline: float) -> None:
        """Wait for a turn; raises `TimeoutError` after `deadline`, in the time of the loop."""
        if not self.locked():
            await self.acquire()
            return
        async with asyncio.timeout_at(deadline):
            await self.acquire()

    async def acquire(self) -> Literal[True]:
        """Wait for a turn."""
        await super().acquire()
        self.admitted += 1
        return True

    def release(self) -> None:
        """Give a turn back."""
        self.admitted -= 1
        super().release()

    def withhold_if_full(self, error: BaseException, *, idle: int) -> bool:
        """Return whether to wait, since the server is full and the pool has a connection.

        The turn is then given back later: until that, as many callers are admitted as the pool has
        connections. `idle` is the number of those that are not in use.
        """
        has_connections = idle > 0 or self.admitted > 1
        if not (isinstance(error, TooManyConnectionsError) and has_connections):
            return False
        self.warn(error)
        self.admitted -= 1
        asyncio.get_running_loop().call_later(_PAUSE, super().release)
        return True

    def warn(self, error: BaseException) -> None:
        """Log why there is no connection: not for each request, while none can be had."""
        if monotonic() > self._next_warning:
            self._next_warning = monotonic() + _QUIET
            logger.warning("No connection to the database: %r", error)
