"""SQLAlchemy's engine, as this service needs it, and what it raises in terms of the service.

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
from app.db.dsn import connect_kwargs
from app.db.errors import DRIVER_ERRORS, translate_driver_error
from app.db.turns import Turns
from app.errors import UnavailableError
from app.settings import DatabaseSettings


class FifoQueuePool(AsyncAdaptedQueuePool):
    """Serves callers in the order of their arrival, and only with open connections.

    Without turns, a new caller could take a returned connection before callers that wait.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turns = Turns(self.size())

    def _do_get(self) -> ConnectionPoolEntry:
        deadline = asyncio.get_running_loop().time() + self.timeout()
        while True:
            try:
                await_only(self._turns.take(deadline))
            except TimeoutError as error:
                raise PoolTimeoutError("All connections are in use.") from error
            try:
                record = self._get_open()
            except (OSError, DBAPIError, EmulatedDBAPIException, *DRIVER_ERRORS) as error:
                reason = _driver_error(error)
                if self._turns.withhold_if_full(reason, idle=self.checkedin()):
                    continue
                self._turns.warn(reason)
                self._turns.release()
                # Errors of connecting, such as an unknown database, are not in the table of errors:
                # each of them means that the database is unavailable.
                raise UnavailableError("The database cannot be reached.") from reason
            except BaseException:
                self._turns.release()
                raise
            # A transaction may write, unless this is changed until the connection comes back.
            adapted: Any = record.dbapi_connection
            adapted.autocommit = adapted.readonly = False
            return record

    def _get_open(self) -> ConnectionPoolEntry:
        while self.checkedin():
            record = super()._do_get()
            driver: Any = record.driver_connection
            # No round trip is spent on asking the server.
            if driver.is_usable():
                return record
            driver.terminate()
            self._dec_overflow()
        return super()._do_get()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if record.dbapi_connection is None:
            # Not kept: the next caller would try to connect while other connections are idle.
            self._dec_overflow()
        else:
            super()._do_return_conn(record)
        self._turns.release()


def create_engine(settings: DatabaseSettings) -> AsyncEngine:
    """An engine whose pool is bounded, waits no longer than told, and replaces what broke."""
    options = connect_kwargs(settings) | {"async_creator_fn": connect}
    if settings.pooler == "pgbouncer":
        # Names that no other client of the pooler uses, and none that is used twice.
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
    # SQLAlchemy's own pools are as quiet, unless their loggers are told to speak.
    logging.getLogger(f"{__name__}.{FifoQueuePool.__name__}").setLevel(logging.WARNING)
    event.listen(engine.sync_engine, "connect", _initialise_read_only, insert=True)
    event.listen(engine.sync_engine, "handle_error", _drop_broken)
    return engine


def _initialise_read_only(connection: Any, _record: ConnectionPoolEntry) -> None:
    # SQLAlchemy reads the server's version and the like in a transaction, which a standby would
    # refuse to begin if it could write.
    connection.readonly = True


def _drop_broken(context: ExceptionContext) -> UnavailableError | None:
    # Other connections may be intact: the pool checks each one before its use.
    context.invalidate_pool_on_disconnect = False
    if not isinstance(context.original_exception, TimeoutError):
        return None
    # Nothing can be rolled back on it.
    context.is_disconnect = True
    return UnavailableError("The database does not answer.")


def _driver_error(error: BaseException) -> BaseException:
    # Not `driver_exception`, which raises where a cached plan no longer fits the schema.
    adapted = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(adapted, EmulatedDBAPIException):
        adapted = adapted.__cause__
    return adapted or error


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise an `AppError` for what the database or the pool refuses in this block."""
    try:
        yield
    except (DBAPIError, *DRIVER_ERRORS) as error:
        known = translate_driver_error(_driver_error(error))
        if known is None:
            raise
        raise known from error
    except PoolTimeoutError as error:
        raise UnavailableError("No database connection became free in time.") from error
