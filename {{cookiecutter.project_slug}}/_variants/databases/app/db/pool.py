"""Connection pool on the `databases` package that survives cancellation and broken connections.

`databases` can lose a connection for good if a task is cancelled while it begins or commits a
transaction, or returns the connection. `Pool` protects these steps, and closes the connection if
one of them fails, so that asyncpg's pool replaces it.

https://magicstack.github.io/asyncpg/current/api/index.html#connection-pools
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import databases
from anyio import fail_after
from asyncpg.exceptions import PostgresError, TooManyConnectionsError
from databases.core import Connection

from app.db.connection_queue import ConnectionQueue
from app.db.errors import DRIVER_ERRORS
from app.db.guarded_connection import terminate
from app.db.pool_options import pool_options
from app.errors import UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

# Seconds for BEGIN, COMMIT or ROLLBACK, and for returning a connection.
_STEP_TIMEOUT = 5


class Pool:
    """Connection pool that serves waiters first-in, first-out, and only with open connections.

    A connection has two levels: that of `databases` (`Connection`), which compiles statements, and
    that of asyncpg (its `raw_connection`), which runs them.

    The pool has three: `_database` (`databases.Database`), its `_backend` for PostgreSQL, and the
    `_asyncpg_pool` of the backend. The last two are private attributes of `databases`, so run
    `tests/test_pool.py` and `tests/test_unavailable_servers.py` after each update of it.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._timeout = settings.pool_timeout
        self._queue = ConnectionQueue(settings.pool_max_size)
        # `databases` logs the URL, so host and password are passed as options.
        self._database = databases.Database("postgresql://", **pool_options(settings))
        self._backend: Any = self._database._backend  # noqa: SLF001
        # At DEBUG, `databases` logs the values of every query. At INFO, it adds nothing useful.
        logging.getLogger("databases").setLevel(logging.WARNING)

    @property
    def _asyncpg_pool(self) -> asyncpg.Pool:
        pool: asyncpg.Pool = self._backend._pool  # noqa: SLF001
        return pool

    async def open(self) -> None:
        """Open the pool, without connecting."""
        await self._database.connect()

    async def close(self) -> None:
        """Wait until all connections are returned, then close. The caller limits the time."""
        await self._database.disconnect()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Connection]:
        """Borrow a connection on which each statement runs in its own transaction.

        Raises `UnavailableError` if no connection becomes free in time or none can be made.
        """
        async with self.acquire() as connection:
            try:
                yield connection
            except BaseException:
                # A cancelled statement may leave its implicit transaction open, with its locks.
                # Such a connection cannot be told from a clean one, so every exception in the
                # block closes it.
                terminate(connection.raw_connection)
                raise

    @asynccontextmanager
    async def transaction(self, *, readonly: bool = False) -> AsyncIterator[Connection]:
        """Borrow a connection in a transaction: commit, or roll back if the block raises.

        Raises `UnavailableError` if no connection becomes free in time or none can be made.
        """
        async with self.acquire() as connection:
            raw = connection.raw_connection
            # asyncpg's transaction: that of `databases` loses its connection if the task is
            # cancelled during BEGIN or COMMIT.
            transaction = raw.transaction(readonly=readonly)
            await _complete(transaction.start, raw)
            try:
                yield connection
            except BaseException:
                try:
                    await _complete(transaction.rollback, raw)
                except Exception:
                    # Not raised: it would hide the original error.
                    logger.warning("Rollback failed", exc_info=True)
                raise
            await _complete(transaction.commit, raw)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Borrow a connection, and return it when the block ends, or close it if that fails.

        `autocommit` and `transaction` build on this method, and `tests/isolation.py` overrides it.

        Raises `UnavailableError` if no connection becomes free in time or none can be made.
        """
        try:
            # The limit covers the time in the queue and the time to connect, so the error below
            # may also mean that the server was slow to connect.
            async with asyncio.timeout(self._timeout):
                connection = await self._wait_and_borrow()
        # Before OSError, of which TimeoutError is a subclass.
        except TimeoutError as error:
            raise UnavailableError("Timed out waiting for a database connection.") from error
        except (OSError, *DRIVER_ERRORS) as error:
            self._queue.log_connect_failure(error)
            raise UnavailableError("The database cannot be reached.") from error
        raw = connection.raw_connection
        try:
            yield connection
        finally:
            try:
                await _give_back(connection, raw)
            finally:
                self._queue.release()

    async def _wait_and_borrow(self) -> Connection:
        """Wait for a slot of the queue, then borrow a connection.

        The slot is kept if a connection is returned, and released if an exception is raised.
        """
        while True:
            await self._queue.acquire()
            try:
                return await self._borrow_alive()
            except TooManyConnectionsError as error:
                idle = self._asyncpg_pool.get_idle_size()
                if not self._queue.has_other_connections(idle=idle):
                    self._queue.release()
                    raise
                # Leave this slot unused for a second, and wait for an existing connection.
                self._queue.log_connect_failure(error)
                self._queue.release_later()
            except BaseException:
                self._queue.release()
                raise

    async def _borrow_alive(self) -> Connection:
        """Borrow an idle connection that is alive, or a new one. Close those that are not alive."""
        # Not `databases.Database.connection()`, which shares one connection between everything in
        # a task, so that reads would run inside an unrelated transaction.
        connection = Connection(self._database, self._backend)
        while True:
            # Entering a `Connection` borrows from asyncpg's pool, and exiting returns to it.
            # `databases` has no other methods for this.
            await connection.__aenter__()
            raw = connection.raw_connection
            if raw.is_alive():
                return connection
            terminate(raw)
            await _give_back(connection, raw)


async def _give_back(connection: Connection, raw: Any) -> None:
    """Return a connection to asyncpg's pool."""
    await _complete(connection.__aexit__, raw)


async def _complete(step: Callable[[], Awaitable[Any]], raw: Any) -> None:
    """Run a step to its end although the request is cancelled. Close the connection if it fails.

    The shield holds back the cancellation of anyio scopes, such as those of Starlette, until the
    step has ended. It does not hold back `asyncio.Task.cancel()`, with which uvicorn ends requests
    in a shutdown: that interrupts the step, and the connection is closed. `asyncio.shield` would
    let the step continue in both cases, but the caller would return the connection before its end.

    Raises `UnavailableError` if the step takes too long.
    """
    try:
        with fail_after(_STEP_TIMEOUT, shield=True):
            await step()
    except PostgresError:
        # The server has rejected the step, for example because of a deferred constraint, and the
        # connection can be used again. If the server has closed it, as in a shutdown, the check
        # before its next use detects that.
        raise
    except BaseException as error:
        terminate(raw)
        if isinstance(error, TimeoutError):
            raise UnavailableError("The database does not respond.") from error
        raise
