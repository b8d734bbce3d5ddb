"""First-in, first-out queue in front of a connection pool.

A pool admits as many callers as it may have connections, and the others wait in this queue. The
queue keeps the order of arrival, which neither SQLAlchemy's pool nor asyncpg's guarantees.

If the server accepts no more connections (`max_connections`), the queue can withdraw a slot for a
second, so that callers share the existing connections instead of trying to connect.
"""

import asyncio
import logging
from time import monotonic
from typing import Literal

logger = logging.getLogger(__name__)

# Seconds before the next attempt to connect to a full server.
_FULL_SERVER_DELAY = 1
# Seconds between two warnings.
_WARNING_INTERVAL = 10


class ConnectionQueue(asyncio.Semaphore):
    """Semaphore with one slot for each connection that the pool may have.

    A caller acquires a slot before it borrows a connection, and releases the slot after it has
    returned the connection or failed to connect.
    """

    #: Number of callers that hold a slot.
    admitted = 0
    _next_warning = 0.0

    async def acquire(self) -> Literal[True]:
        """Wait for a slot."""
        await super().acquire()
        self.admitted += 1
        return True

    async def acquire_before(self, deadline: float) -> None:
        """Wait for a slot until `deadline`, a time of the event loop's clock.

        Raises `TimeoutError` if no slot becomes free in time.
        """
        if not self.locked():
            # The usual case: a slot is free, so no timer is needed.
            await self.acquire()
            return
        async with asyncio.timeout_at(deadline):
            await self.acquire()

    def release(self) -> None:
        """Free a slot."""
        self.admitted -= 1
        super().release()

    def release_after_delay(self) -> None:
        """Free a slot after a delay, because the server is full.

        Until then, the pool admits one caller fewer, because that caller would only try to connect
        again.
        """
        self.admitted -= 1
        asyncio.get_running_loop().call_later(_FULL_SERVER_DELAY, super().release)

    def has_other_connections(self, *, idle: int) -> bool:
        """Return whether the pool has a connection that a caller who cannot connect can wait for.

        `idle` is the number of unused connections. The caller still holds its slot. The other
        admitted callers use connections, or are trying to connect.
        """
        # The caller itself counts as one.
        return idle > 0 or self.admitted > 1

    def log_connect_failure(self, error: BaseException) -> None:
        """Log a failure to connect, at most once per interval rather than once per request."""
        if monotonic() > self._next_warning:
            self._next_warning = monotonic() + _WARNING_INTERVAL
            logger.warning("Cannot connect to the database: %r", error)
