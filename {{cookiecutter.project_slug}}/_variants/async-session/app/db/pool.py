"""SQLAlchemy's engine, with a first-in, first-out connection pool.

`create_database_engine` makes the engine, and `FifoQueuePool` is its pool.

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

# Errors of the network, and errors of asyncpg: unwrapped, or wrapped by SQLAlchemy in one of two
# classes.
_CONNECT_ERRORS = (OSError, DBAPIError, EmulatedDBAPIException, *DRIVER_ERRORS)


class FifoQueuePool(AsyncAdaptedQueuePool):
    """Connection pool that serves waiters in order of arrival.

    The pool never hands out a closed connection.

    With SQLAlchemy's pool, a new caller can take a returned connection before earlier callers that
    are waiting. This pool therefore admits callers through a `ConnectionQueue`, a semaphore that
    has one slot for each connection and keeps the order of arrival. In a benchmark in which 32
    clients read through 15 connections, the queue reduced the 99th percentile of the latency from
    128 ms to 44 ms.

    A caller holds exactly one slot from `_wait_for_slot` until `_do_return_conn`, or until it fails
    to connect. So a caller with a slot always finds an idle connection, or room for a new one.

    A connection has three levels, from the outside:

    - the record, `ConnectionPoolEntry`: SQLAlchemy's entry in the pool;
    - the adapted connection, `record.dbapi_connection`: SQLAlchemy's synchronous interface;
    - the driver connection, `record.driver_connection`: asyncpg's connection, here of the class
      `GuardedConnection`, whose `is_alive` tells whether the server has closed it.

    The class relies on three private names of SQLAlchemy: it overrides `_do_get`, which borrows a
    record, and `_do_return_conn`, which returns a record, and it calls `_dec_overflow`, which
    reduces the number of connections that SQLAlchemy counts as open. `tests/test_pool.py` covers
    all three: run that module after each update of SQLAlchemy.
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
        """Return an idle connection or a new one. The caller must hold a slot.

        On success the caller keeps its slot. Otherwise the slot is released: None means that the
        server accepts no more connections but the pool has others, so the caller must wait for a
        slot again, and an exception means that the caller gets no connection.
        """
        try:
            return self._take_idle() or self._connect()
        except _CONNECT_ERRORS as error:
            reason = original_error(error)
            self._queue.log_connect_failure(reason)
            is_full = isinstance(reason, TooManyConnectionsError)
            # Other connections exist if some are idle, or if other callers hold slots.
            if is_full and self._queue.has_other_connections(idle=self.checkedin()):
                # Withdraw this slot for a second, and wait for an existing connection.
                self._queue.release_after_delay()
                return None
            self._queue.release()
            # Every failure to connect means that the database is unavailable, even an unknown
            # database, which `translate_errors` would treat as a programming error.
            raise UnavailableError("The database cannot be reached.") from reason
        except BaseException:
            self._queue.release()
            raise

    def _take_idle(self) -> ConnectionPoolEntry | None:
        """Return an idle connection that is alive, or None.

        Terminate and drop connections that are not alive; `_dec_overflow` makes room for a new one.
        """
        while self.checkedin():
            record = self._pop_idle()
            driver: Any = record.driver_connection
            # Unlike SQLAlchemy's `pool_pre_ping`, this check needs no round trip.
            if driver.is_alive():
                return record
            driver.terminate()
            self._dec_overflow()
        return None

    def _pop_idle(self) -> ConnectionPoolEntry:
        # SQLAlchemy's `_do_get` returns an idle connection if there is one.
        return super()._do_get()

    def _connect(self) -> ConnectionPoolEntry:
        # SQLAlchemy's `_do_get` connects if no connection is idle.
        return super()._do_get()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        """Return a connection to the pool, and release the slot of its borrower."""
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
    """Set the mode for transactions that write.

    The previous borrower (`Database._set_read_mode` or `Database.search`) or
    `_begin_first_transaction_read_only` may have changed the attributes.
    """
    adapted: Any = record.dbapi_connection
    adapted.autocommit = adapted.readonly = False


def create_database_engine(settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine that opens at most `pool_max_size` connections, when they are needed."""
    # The URL only selects the dialect and the driver. `pool_options` has the server.
    url = "postgresql+asyncpg://"
    engine = create_async_engine(url, poolclass=FifoQueuePool, **pool_options(settings))
    # SQLAlchemy names a pool's logger after its module and class, so ours is outside the
    # `sqlalchemy` hierarchy and would log at INFO, for example `Pool disposed`.
    logging.getLogger(f"{__name__}.{FifoQueuePool.__name__}").setLevel(logging.WARNING)
    # `insert`: before SQLAlchemy's own listener, which runs the first queries.
    event.listen(engine.sync_engine, "connect", _begin_first_transaction_read_only, insert=True)
    event.listen(engine.sync_engine, "handle_error", _discard_unresponsive)
    return engine


def _begin_first_transaction_read_only(connection: Any, _record: ConnectionPoolEntry) -> None:
    """Make the first transaction on a new connection READ ONLY.

    In this transaction, SQLAlchemy reads properties of the server, such as its version. Without
    the attribute, `GuardedConnection` would make the transaction READ WRITE, which a standby server
    rejects. `_reset_mode` clears the attribute before the connection is borrowed.
    """
    connection.readonly = True


def _discard_unresponsive(context: ExceptionContext) -> UnavailableError | None:
    """Discard a connection whose command timed out: a rollback on it would time out too.

    SQLAlchemy calls this function for each error of a statement. If the function returns an error,
    SQLAlchemy raises that error instead of the original one.
    """
    # By default, SQLAlchemy discards the whole pool after a disconnect. The pool checks each
    # connection before use, so this is not needed.
    context.invalidate_pool_on_disconnect = False
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    return UnavailableError("The database does not respond.")
