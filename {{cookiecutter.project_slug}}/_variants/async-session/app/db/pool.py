"""SQLAlchemy's engine, with a first-in, first-out pool, and translation of its errors.

https://docs.sqlalchemy.org/en/21/core/pooling.html
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_only

from app.db.connection import connect
from app.db.connection_queue import ConnectionQueue
from app.db.dsn import connect_kwargs
from app.db.errors import DRIVER_ERRORS, translate_driver_error
from app.errors import UnavailableError
from app.settings import DatabaseSettings


class FifoQueuePool(AsyncAdaptedQueuePool):
    """Connection pool that serves waiters first-in, first-out, and only with open connections.

    With SQLAlchemy's pool, a new caller can take a returned connection before earlier callers that
    are waiting. For 32 readers on 15 connections, the queue reduced the 99th percentile of the
    latency from 128 ms to 44 ms.

    The class overrides SQLAlchemy's private methods that borrow and return a connection, so run
    `tests/test_pool.py` after each update of SQLAlchemy.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._queue = ConnectionQueue(self.size())

    def _do_get(self) -> ConnectionPoolEntry:
        deadline = asyncio.get_running_loop().time() + self.timeout()
        while True:
            try:
                await_only(self._queue.acquire_before(deadline))
            except TimeoutError as error:
                raise PoolTimeoutError("All connections are in use.") from error
            try:
                record = self._get_open_connection()
            except (OSError, DBAPIError, EmulatedDBAPIException, *DRIVER_ERRORS) as error:
                reason = _original_error(error)
                if self._queue.withhold_slot_if_full(reason, idle=self.checkedin()):
                    continue
                self._queue.warn(reason)
                self._queue.release()
                # Whatever the reason, such as an unknown database, no connection can be made.
                raise UnavailableError("The database cannot be reached.") from reason
            except BaseException:
                self._queue.release()
                raise
            # Undo the previous caller's `Database._make_read_only`.
            adapted: Any = record.dbapi_connection
            adapted.autocommit = adapted.readonly = False
            return record

    def _get_open_connection(self) -> ConnectionPoolEntry:
        """Return an idle connection that is alive, or a new one."""
        while self.checkedin():
            record = super()._do_get()
            driver: Any = record.driver_connection
            # Unlike SQLAlchemy's `pool_pre_ping`, this check needs no round trip.
            if driver.is_alive():
                return record
            driver.terminate()
            self._dec_overflow()
        return super()._do_get()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if record.dbapi_connection is None:
            # Drop the record of an invalidated connection. If it were kept, the next caller would
            # connect again although other connections are idle.
            self._dec_overflow()
        else:
            super()._do_return_conn(record)
        self._queue.release()


def create_engine(settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine with at most `pool_max_size` connections, created when they are needed."""
    options = connect_kwargs(settings) | {"async_creator_fn": connect}
    if settings.pooler == "pgbouncer":
        # Statement names that no other client of the pooler uses, and that are never reused.
        options["prepared_statement_cache_size"] = 0
        options["prepared_statement_name_func"] = lambda: f"__{uuid4()}__"
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args=options,
        poolclass=FifoQueuePool,
        pool_size=settings.pool_max_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        hide_parameters=True,
    )
    # SQLAlchemy configures the loggers of its own pools this way.
    logging.getLogger(f"{__name__}.{FifoQueuePool.__name__}").setLevel(logging.WARNING)
    event.listen(engine.sync_engine, "connect", _initialize_read_only, insert=True)
    event.listen(engine.sync_engine, "handle_error", _invalidate_unresponsive)
    return engine


def _initialize_read_only(connection: Any, _record: ConnectionPoolEntry) -> None:
    # SQLAlchemy reads the server version and other properties in a transaction. A standby would
    # reject one that may write.
    connection.readonly = True


def _invalidate_unresponsive(context: ExceptionContext) -> UnavailableError | None:
    """Discard a connection whose command timed out: a rollback on it would time out too."""
    # Keep all other connections; the pool checks each before use.
    context.invalidate_pool_on_disconnect = False
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    return UnavailableError("The database does not respond.")


def _original_error(error: BaseException) -> BaseException:
    """Return the error of asyncpg that SQLAlchemy has wrapped."""
    # Not `driver_exception`, which raises for a cached plan that no longer fits the schema.
    adapted = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(adapted, EmulatedDBAPIException):
        adapted = adapted.__cause__
    return adapted or error


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate errors of the database and the pool in this block to application errors."""
    try:
        yield
    except (DBAPIError, *DRIVER_ERRORS) as error:
        translated = translate_driver_error(_original_error(error))
        if translated is None:
            raise
        raise translated from error
    except PoolTimeoutError as error:
        raise UnavailableError("Timed out waiting for a database connection.") from error
