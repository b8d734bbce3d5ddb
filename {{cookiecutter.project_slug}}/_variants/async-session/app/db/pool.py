"""SQLAlchemy's engine (`create_database_engine`), with a first-in, first-out connection pool.

https://docs.sqlalchemy.org/en/21/core/pooling.html
"""

import asyncio
import logging
from typing import Any

from asyncpg.exceptions import TooManyConnectionsError
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_only

from app.db.connection_queue import ConnectionQueue
from app.db.error_translation import original_error
from app.db.errors import DRIVER_ERRORS
from app.db.pool_options import pool_options
from app.errors import UnavailableError
from app.settings import DatabaseSettings

# Errors of the network and of asyncpg. SQLAlchemy wraps some of the latter in one of two classes.
_CONNECT_ERRORS = (OSError, DBAPIError, EmulatedDBAPIException, *DRIVER_ERRORS)


class FifoQueuePool(AsyncAdaptedQueuePool):
    """Connection pool that serves waiters in order of arrival.

    The pool never hands out a closed connection.

    With SQLAlchemy's pool, a new caller can take a returned connection before earlier callers that
    are waiting. This pool admits callers through a `ConnectionQueue`, a semaphore that has one slot
    for each connection and keeps the order of arrival. In a benchmark with 32 readers and 15
    connections, the queue reduced the 99th percentile of the latency from 128 ms to 44 ms.

    A caller holds exactly one slot from `_wait_for_slot` until `_do_return_conn`, or until it fails
    to connect. So a caller with a slot always finds an idle connection, or room for a new one.

    A connection has three levels, from the outside:

    - the record, `ConnectionPoolEntry`: SQLAlchemy's entry in the pool;
    - the DBAPI connection, `record.dbapi_connection`: SQLAlchemy's synchronous interface;
    - the driver connection, `record.driver_connection`: asyncpg's connection, here of the class
      `GuardedConnection`, whose `is_alive` tells whether the server has closed it.

    Two attributes of the DBAPI connection, `autocommit` and `readonly`, select how SQLAlchemy
    begins a transaction:

    - After borrowing, both are False, for a transaction that writes (`_reset_mode`).
    - A read then sets one of them (`Database._set_read_mode`), and a search sets `autocommit`.
    - A new connection starts with `readonly` (`_begin_first_transaction_read_only`).

    The class relies on three private methods of SQLAlchemy: it overrides `_do_get` and
    `_do_return_conn`, which borrow and return a record, and calls `_dec_overflow`, which reduces
    the number of connections counted as open. Run `tests/test_pool.py`, which covers all three,
    after each update of SQLAlchemy.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._queue = ConnectionQueue(self.size())

    def _do_get(self) -> ConnectionPoolEntry:
        """Borrow a connection: wait for a slot of the queue, then reuse a connection or connect.

        Raises `UnavailableError` if no connection becomes free in time or if none can be made.
        """
        deadline = asyncio.get_running_loop().time() + self.timeout()
        record = None
        while record is None:
            self._wait_for_slot(deadline)
            record = self._reuse_or_connect()
        _reset_mode(record)
        return record

    def _wait_for_slot(self, deadline: float) -> None:
        """Wait for a slot of the queue until `deadline`, a time of the event loop.

        Raises `UnavailableError` if no slot becomes free in time.
        """
        try:
            # SQLAlchemy calls the pool's synchronous methods in a greenlet. `await_only` suspends
            # the greenlet until the coroutine has finished.
            await_only(self._queue.acquire_before(deadline))
        except TimeoutError as error:
            raise UnavailableError("Timed out waiting for a database connection.") from error

    def _reuse_or_connect(self) -> ConnectionPoolEntry | None:
        """Return an idle connection or a new one. The caller must hold a slot. The outcomes:

        - A record: the caller keeps its slot.
        - None: the server is full, and the pool has other connections. The slot is withdrawn for a
          second, and the caller must wait for another one.
        - An exception, such as `UnavailableError`: the slot is released.
        """
        try:
            return self._take_alive() or self._take_or_connect()
        except _CONNECT_ERRORS as error:
            self._handle_connect_error(original_error(error))
            return None
        except BaseException:
            self._queue.release()
            raise

    def _handle_connect_error(self, error: BaseException) -> None:
        """Withdraw the slot if the caller can wait for another connection.

        Otherwise release the slot and raise `UnavailableError`.
        """
        self._queue.log_connect_failure(error)
        is_full = isinstance(error, TooManyConnectionsError)
        # Connections may have been returned while this caller tried to connect.
        if is_full and self._queue.has_other_connections(idle=self.checkedin()):
            self._queue.release_after_delay()
            return
        self._queue.release()
        # Every failure to connect means that the database is unavailable, even an unknown database,
        # which `translate_errors` would treat as a programming error.
        raise UnavailableError("The database cannot be reached.") from error

    def _take_alive(self) -> ConnectionPoolEntry | None:
        """Return an idle connection that is alive, or None. Drop those that are not alive."""
        while self.checkedin():
            record = self._take_or_connect()
            driver: Any = record.driver_connection
            # Unlike SQLAlchemy's `pool_pre_ping`, this check needs no round trip.
            if driver.is_alive():
                return record
            driver.terminate()
            self._dec_overflow()
        return None

    def _take_or_connect(self) -> ConnectionPoolEntry:
        # SQLAlchemy's `_do_get` takes an idle connection if there is one, and otherwise connects.
        # It never waits or recurses here, because the caller holds a slot (the queue has as many
        # slots as the pool, and `max_overflow` is 0).
        return super()._do_get()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        """Return a connection to the pool, and release the slot of its borrower.

        SQLAlchemy calls this method exactly once per `_do_get`, also for invalidated records.
        """
        try:
            if record.dbapi_connection is None:
                # Drop the record of an invalidated connection. If it were kept, the next caller
                # would connect again although other connections are idle.
                self._dec_overflow()
            else:
                super()._do_return_conn(record)
        finally:
            self._queue.release()


def _reset_mode(record: ConnectionPoolEntry) -> None:
    """Set the mode of a transaction that writes."""
    dbapi_connection: Any = record.dbapi_connection
    dbapi_connection.autocommit = dbapi_connection.readonly = False


def create_database_engine(settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine that opens at most `pool_max_size` connections, when they are needed."""
    # The URL only selects the dialect and the driver. `pool_options` has the server.
    url = "postgresql+asyncpg://"
    engine = create_async_engine(url, poolclass=FifoQueuePool, **pool_options(settings))
    # This logger, named after the pool's class, is outside the `sqlalchemy` hierarchy. It would log
    # at INFO, for example `Pool disposed`.
    logging.getLogger(f"{__name__}.{FifoQueuePool.__name__}").setLevel(logging.WARNING)
    # `insert`: before SQLAlchemy's own listener, which runs the first queries.
    event.listen(engine.sync_engine, "connect", _begin_first_transaction_read_only, insert=True)
    event.listen(engine.sync_engine, "handle_error", _discard_unresponsive)
    return engine


def _begin_first_transaction_read_only(connection: Any, _record: ConnectionPoolEntry) -> None:
    """Make the first transaction on a new connection READ ONLY.

    In this transaction, SQLAlchemy reads the server's version and other properties. A standby would
    reject the READ WRITE transaction that `GuardedConnection` begins by default.
    """
    connection.readonly = True


def _discard_unresponsive(context: ExceptionContext) -> UnavailableError | None:
    """Discard a connection whose command timed out: a rollback on it would time out too.

    By default, SQLAlchemy discards the whole pool after a disconnect. This is not needed, because
    the pool checks each connection before use (`invalidate_pool_on_disconnect`).

    SQLAlchemy calls this function for each error of a statement, and raises the error that it
    returns, if any, instead of the original one.
    """
    context.invalidate_pool_on_disconnect = False
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    return UnavailableError("The database does not respond.")
