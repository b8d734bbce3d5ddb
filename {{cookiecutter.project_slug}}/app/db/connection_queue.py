"""First-in, first-out queue in front of a connection pool.

Both pools admit callers through it. That keeps the order of arrival, which neither SQLAlchemy's
pool nor asyncpg's guarantees, and it lets callers share the existing connections while the server
has no room for more.
"""

import asyncio
import logging
from time import monotonic
from typing import Literal

from asyncpg.exceptions import TooManyConnectionsError

logger = logging.getLogger(__name__)

# Seconds before the next attempt to connect to a full server.
_FULL_SERVER_PAUSE = 1
# Seconds between two warnings.
_WARNING_INTERVAL = 10


class ConnectionQueue(asyncio.Semaphore):
    """Semaphore with one slot for each connection that the pool may have."""

    #: Number of callers that hold a slot.
    admitted = 0
    _next_warning = 0.0

    async def acquire_before(self, deadline: float) -> None:
        """Wait for a slot until `deadline`, a time of the event loop; then raise `TimeoutError`."""
        if not self.locked():
            await self.acquire()
            return
        async with asyncio.timeout_at(deadline):
            await self.acquire()

    async def acquire(self) -> Literal[True]:
        """Wait for a slot."""
        await super().acquire()
        self.admitted += 1
        return True

    def release(self) -> None:
        """Free a slot."""
        self.admitted -= 1
        super().release()

    def withhold_slot_if_full(self, error: BaseException, *, idle: int) -> bool:
        """Return True if the caller should queue again, because the server is full.

        The caller's slot is then freed after a pause instead of now, which reduces the number of
        slots to that of the existing connections. Returns False, and changes nothing, for any
        other error, or if the pool has no connection to wait for. `idle` is the number of its
        unused connections.
        """
        has_connections = idle > 0 or self.admitted > 1
        if not (isinstance(error, TooManyConnectionsError) and has_connections):
            return False
        self.warn(error)
        self.admitted -= 1
        asyncio.get_running_loop().call_later(_FULL_SERVER_PAUSE, super().release)
        return True

    def warn(self, error: BaseException) -> None:
        """Log a failure to connect, at most once per interval rather than once per request."""
        if monotonic() > self._next_warning:
            self._next_warning = monotonic() + _WARNING_INTERVAL
            logger.warning("Cannot connect to the database: %r", error)
