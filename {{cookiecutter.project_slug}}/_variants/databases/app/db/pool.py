"""Connection pool on the `databases` package that survives cancellation and broken connections.

If a task is cancelled while it begins or commits a transaction, or returns a connection,
`databases` never returns that connection, and the pool becomes smaller. `Pool` runs these steps to
their end (`app.db.cancellation`), and closes the connection if a step fails, so that asyncpg's pool
replaces the connection.

https://magicstack.github.io/asyncpg/current/api/index.html#connection-pools
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import databases
from asyncpg.exceptions import TooManyConnectionsError
from databases.core import Connection

from app.db.cancellation import finish_despite_cancellation, transaction_block
from app.db.connect_failure_log import ConnectFailureLog
from app.db.connection_queue import ConnectionQueue
from app.db.driver import DriverConnection
from app.db.errors import DRIVER_ERRORS
from app.db.guarded_connection import terminate
from app.db.pool_options import pool_options
from app.errors import UnavailableError
from app.settings import DatabaseSettings


class Pool:
    """Connection pool that serves waiters in order of arrival.

    The pool never hands out a closed connection.

    The pool admits callers through a `ConnectionQueue`, which has one slot for each connection
    and keeps the order of arrival. A caller holds exactly one slot from
    `_wait_and_borrow` until the end of `acquire`, or until it fails to connect.

    A borrowed connection is two objects:

    - `databases.core.Connection`, which borrows and returns;
    - its `raw_connection`, which runs statements: a proxy of asyncpg's pool for a
      `DriverConnection`, whose `is_alive` tells whether the server has closed it.

    The pool is a `databases.Database`, its `_backend` for PostgreSQL, and the `_pool` of asyncpg in
    that backend. `_backend` and `_pool` are private attributes of `databases`, so run
    `tests/test_pool.py` and `tests/test_unavailable_servers.py` after each update of `databases`.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._timeout = settings.pool_timeout
        self._queue = ConnectionQueue(settings.pool_max_size)
        self._failure_log = ConnectFailureLog()
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
        """Create the pool. It makes no connection, because `min_size` is 0."""
        await self._database.connect()

    async def close(self) -> None:
        """Wait until all connections are returned, then close. The caller limits the time."""
        await self._database.disconnect()

    @asynccontextmanager
    async def transaction(self, *, readonly: bool = False) -> AsyncIterator[DriverConnection]:
        """Borrow a connection in a transaction: commit, or roll back if the block raises.

        Raises `UnavailableError` if no connection becomes free in time, if none can be made, or if
        a step of the transaction times out.
        """
        async with self.acquire() as driver, transaction_block(driver, readonly=readonly):
            yield driver

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[DriverConnection]:
        """Borrow a connection, and return it when the block ends, or close it if that fails.

        Each statement runs in its own transaction. `tests/isolation.py` overrides this method.

        Raises `UnavailableError` if no connection becomes free in time, if none can be made, or if
        returning the connection times out.
        """
        try:
            # The limit covers the time in the queue and the time to connect. No shield is needed,
            # because a cancellation may interrupt both.
            async with asyncio.timeout(self._timeout):
                connection = await self._wait_and_borrow()
        except TimeoutError as error:
            # Handled before OSError, its base class. The limit may have been exceeded in the queue
            # or while connecting.
            raise UnavailableError("Timed out waiting for a database connection.") from error
        except (OSError, *DRIVER_ERRORS) as error:
            self._failure_log.warn(error)
            raise UnavailableError("The database cannot be reached.") from error
        try:
            yield connection.raw_connection
        finally:
            try:
                # An exception here replaces that of the block, which is kept as `__context__`.
                await _give_back(connection)
            finally:
                self._queue.release()

    async def _wait_and_borrow(self) -> Connection:
        """Wait for a slot of the queue, then borrow a connection.

        If the server is full and the pool has other connections, the slot is withheld for a second,
        and the caller waits for another one. The slot is kept if a connection is returned, and
        released if an exception is raised.
        """
        while True:
            await self._queue.acquire()
            try:
                return await self._borrow_alive()
            except TooManyConnectionsError as error:
                # Connections may have been returned while this caller tried to connect.
                idle = self._asyncpg_pool.get_idle_size()
                if not self._queue.can_wait_for_connection(idle=idle):
                    self._queue.release()
                    raise
                self._failure_log.warn(error)
                self._queue.withhold()
            except BaseException:
                self._queue.release()
                raise

    async def _borrow_alive(self) -> Connection:
        """Borrow an idle connection that is alive, or a new one. Close those that are not alive."""
        # `databases.Database.connection()` is not used, because it shares one connection between
        # everything in a task, so reads would run inside an unrelated transaction.
        connection = Connection(self._database, self._backend)
        while True:
            await _borrow(connection)
            if connection.raw_connection.is_alive():
                return connection
            terminate(connection.raw_connection)
            await _give_back(connection)


# Entering a `Connection` borrows a connection from asyncpg's pool, and exiting the `Connection`
# returns the connection. `databases` has no other methods for this. A `Connection` may be entered
# again after it was exited.


async def _borrow(connection: Connection) -> None:
    # No protection is needed here: if the task is cancelled, asyncpg's pool takes the connection
    # back itself.
    await connection.__aenter__()


async def _give_back(connection: Connection) -> None:
    # The proxy of a connection that was closed has no attributes.
    if getattr(connection.raw_connection, "running", 0):
        # The next borrower could not use the connection.
        terminate(connection.raw_connection)
    await finish_despite_cancellation(
        connection.__aexit__, terminate_on_failure=connection.raw_connection
    )
