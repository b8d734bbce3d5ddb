"""First-in, first-out queue in front of a connection pool.

The queue has one slot for each connection that the pool may have, and a caller must acquire a slot
before it borrows a connection. Callers get the slots in their order of arrival, which neither
SQLAlchemy's pool nor asyncpg's guarantees for connections. If the server accepts no more
connections (`max_connections`), the queue can withhold a slot for a second. Until then, callers
share the existing connections instead of trying to connect.
"""

import asyncio

# Seconds before the next attempt to connect to a full server.
_FULL_SERVER_DELAY = 1


class ConnectionQueue:
    """Queue for the slots of a connection pool.

    A caller acquires a slot before it borrows a connection. It releases the slot after it has
    returned the connection or failed to connect, or withholds the slot if the server is full.
    """

    def __init__(self, size: int) -> None:
        # asyncio's semaphore serves waiters in order of arrival.
        self._semaphore = asyncio.Semaphore(size)
        # Number of callers that hold a slot.
        self._admitted = 0

    async def acquire(self) -> None:
        """Wait for a slot."""
        await self._semaphore.acquire()
        self._admitted += 1

    async def acquire_before(self, deadline: float) -> None:
        """Wait for a slot until `deadline`, a time on the event loop's clock (`loop.time()`).

        Raises `TimeoutError` if no slot becomes free in time.
        """
        if not self._semaphore.locked():
            # A slot is free and no caller waits, so `acquire` needs no timer.
            await self.acquire()
            return
        async with asyncio.timeout_at(deadline):
            await self.acquire()

    def release(self) -> None:
        """Give up the caller's slot, and make it available again."""
        self._admitted -= 1
        self._semaphore.release()

    def withhold(self) -> None:
        """Give up the caller's slot, and make it available again only after a delay.

        The delay is `_FULL_SERVER_DELAY` seconds. Without it, the next caller would only try to
        connect to the full server again.
        """
        self._admitted -= 1
        loop = asyncio.get_running_loop()
        loop.call_later(_FULL_SERVER_DELAY, self._semaphore.release)

    def can_wait_for_connection(self, *, idle: int) -> bool:
        """Return whether a caller that failed to connect should wait for a slot again.

        True if a connection is idle, or if other callers hold slots, because each of them uses a
        connection or is still trying to get one. Otherwise, the caller should fail.

        `idle` is the pool's number of idle connections. Call this method while the caller holds its
        own slot. Callers that have withheld theirs do not count, so the last one fails.
        """
        other_callers = self._admitted - 1
        return idle > 0 or other_callers > 0
