"""Pool of `databases` that survives cancellation, timeouts and closed connections.

`databases` can lose a connection for good if a task is cancelled while it begins or commits a
transaction, or returns the connection. `Pool` completes these steps in spite of the cancellation,
and terminates the connection if one of them fails.

https://magicstack.github.io/asyncpg/current/api/index.html#connection-pools
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import databases
from anyio import fail_after
from asyncpg import PostgresError
from databases.core import Connection

from app.db.base import Row
from app.db.connection import connect
from app.db.connection_queue import ConnectionQueue
from app.db.dsn import connect_kwargs
from app.db.errors import DRIVER_ERRORS, translate_driver_error
from app.db.guarded_connection import GuardedConnection, terminate
from app.errors import UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

# Seconds for the end of a transaction, or for returning a connection.
_STEP_TIMEOUT = 5


class _PoolConnection(GuardedConnection):
    """Connection that is terminated if a query exceeds its command timeout."""

    async def fetch(self, *args: Any, **options: Any) -> Any:
        with _terminate_on_timeout(self):
            return await super().fetch(*args, **options)

    async def fetchrow(self, *args: Any, **options: Any) -> Any:
        with _terminate_on_timeout(self):
            return await super().fetchrow(*args, **options)

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        with _terminate_on_timeout(self):
            return await super().fetchval(*args, **options)


@contextmanager
def _terminate_on_timeout(connection: Any) -> Iterator[None]:
    # A rollback on the connection would time out too.
    try:
        yield
    except TimeoutError as error:
        terminate(connection)
        raise UnavailableError("The database does not respond.") from error


class Pool:
    """Connection pool that serves waiters first-in, first-out, and only with open connections."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._timeout = settings.pool_timeout
        self._pool = databases.Database(
            # Everything else is in the options, where no log line shows it.
            "postgresql://",
            # With a minimum, asyncpg would connect when the pool is opened, and fail if the
            # database is unavailable.
            min_size=0,
            max_size=settings.pool_max_size,
            # Saves a round trip when a connection is returned. Session state therefore reaches the
            # next borrower: use SET LOCAL, and locks that end with the transaction.
            reset=_skip_reset,
            record_class=Row,
            **connect_kwargs(settings) | {"connect": connect, "connection_class": _PoolConnection},
        )
        self._backend: Any = self._pool._backend  # noqa: SLF001 - it has no public name
        self._queue = ConnectionQueue(settings.pool_max_size)
        # INFO repeats the log lines of this service, and DEBUG shows the values of every query.
        logging.getLogger("databases").setLevel(logging.WARNING)

    async def open(self) -> None:
        """Open the pool, without connecting."""
        await self._pool.connect()

    async def close(self) -> None:
        """Close the pool when all connections are returned."""
        await self._pool.disconnect()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Borrow a connection, and return or terminate it when the block ends.

        Raises `UnavailableError` if none becomes free in time or the database cannot be reached.
        """
        # Not `databases.Database.connection()`, which shares one connection between everything in
        # a task, so that reads would run inside an unrelated transaction.
        connection = Connection(self._pool, self._backend)
        try:
            async with asyncio.timeout(self._timeout):
                await self._enter(connection)
        except TimeoutError as error:
            raise UnavailableError("Timed out waiting for a database connection.") from error
        except (OSError, *DRIVER_ERRORS) as error:
            self._queue.warn(error)
            raise UnavailableError("The database cannot be reached.") from error
        raw = connection.raw_connection
        try:
            yield connection
        finally:
            try:
                await _shielded(raw, connection.__aexit__)
            finally:
                self._queue.release()

    async def _enter(self, connection: Connection) -> None:
        """Wait in the queue, and borrow a connection that is alive, or a new one."""
        while True:
            await self._queue.acquire()
            try:
                await connection.__aenter__()
                while not connection.raw_connection.is_alive():
                    terminate(connection.raw_connection)
                    await _shielded(connection.raw_connection, connection.__aexit__)
                    await connection.__aenter__()
            except BaseException as error:
                idle = self._backend._pool.get_idle_size()  # noqa: SLF001
                if self._queue.withhold_slot_if_full(error, idle=idle):
                    continue
                self._queue.release()
                raise
            return

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """Borrow a connection on which each statement is a transaction of its own."""
        async with self.acquire() as connection:
            try:
                yield connection
            except BaseException:
                # A statement that asyncpg has prepared but not run holds a transaction open, with
                # its locks.
                terminate(connection.raw_connection)
                raise

    @asynccontextmanager
    async def transaction(self, *, readonly: bool = False) -> AsyncIterator[Connection]:
        """Borrow a connection in a transaction: commit, or roll back if the block raises."""
        # asyncpg's transaction: that of `databases` leaks its connection if the task is cancelled
        # during BEGIN or COMMIT.
        async with self.acquire() as connection:
            raw = connection.raw_connection
            transaction = raw.transaction(readonly=readonly)
            await _shielded(raw, transaction.start)
            try:
                yield connection
            except BaseException:
                try:
                    await _shielded(raw, transaction.rollback)
                except Exception:
                    # Not raised: it would hide the original error.
                    logger.warning("Rollback failed", exc_info=True)
                raise
            await _shielded(raw, transaction.commit)


async def _shielded(raw: Any, step: Callable[..., Awaitable[Any]]) -> None:
    """Complete a step although the task is cancelled. Terminate the connection if it fails."""
    try:
        with fail_after(_STEP_TIMEOUT, shield=True):
            await step()
    except PostgresError:
        # The server has answered, so the connection is intact.
        raise
    except BaseException as error:
        terminate(raw)
        if isinstance(error, TimeoutError):
            raise UnavailableError("The database does not respond.") from error
        raise


async def _skip_reset(_connection: Any) -> None:
    pass


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate driver errors in this block to application errors."""
    try:
        yield
    except DRIVER_ERRORS as error:
        translated = translate_driver_error(error)
        if translated is None:
            raise
        raise translated from error
