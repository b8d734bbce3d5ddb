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
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import await_only

from app.db.address import connect_options
from app.db.errors import DRIVER_ERRORS, from_driver
from app.errors import UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)


class FairPool(AsyncAdaptedQueuePool):
    """Serves those who wait in the order in which they came.

    By itself the pool serves whoever asks when a connection comes back, before them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turns = asyncio.Semaphore(self.size())

    def connect(self) -> PoolProxiedConnection:
        """A connection that the server has not closed, as far as is known here."""
        try:
            return super().connect()
        except InvalidRequestError as error:
            # The one that was made in place of a closed one is closed too.
            raise UnavailableError("The database closes its connections.") from error

    def _do_get(self) -> ConnectionPoolEntry:
        turn = self._turns.acquire()
        if self._turns.locked():
            turn = asyncio.wait_for(turn, self.timeout())
        try:
            await_only(turn)
        except TimeoutError as error:
            raise PoolTimeoutError("All connections are in use.") from error
        try:
            return super()._do_get()
        except BaseException:
            self._turns.release()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        self._turns.release()


def create_engine(settings: DatabaseSettings) -> AsyncEngine:
    """An engine whose pool is bounded, waits no longer than told, and replaces what broke."""
    options = connect_options(settings)
    if settings.pooler == "pgbouncer":
        # Names that no other client of the pooler uses, and none that is used twice.
        options["prepared_statement_cache_size"] = 0
        options["prepared_statement_name_func"] = lambda: f"__{uuid4()}__"
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args=options,
        poolclass=FairPool,
        pool_size=settings.pool_max_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        hide_parameters=True,
    )
    # SQLAlchemy's own pools are as quiet, unless their loggers are told to speak.
    logging.getLogger(f"{__name__}.{FairPool.__name__}").setLevel(logging.WARNING)
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "checkout", _check_alive)
    event.listen(engine.sync_engine, "handle_error", _drop_silent)
    return engine


def _connect(dialect: Any, _record: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # What the server says here, such as that it knows no such database, has no place in the
    # table of errors: whatever it is, the database cannot be had.
    try:
        return dialect.connect(*args, **kwargs)
    except (OSError, dialect.loaded_dbapi.Error) as error:
        logger.warning("No connection to the database: %r", error.__cause__ or error)
        raise UnavailableError("The database cannot be reached.") from error


def _check_alive(connection: Any, _record: Any, _proxy: Any) -> None:
    # The pool replaces it then, and no round trip is spent on asking the server.
    if not connection.driver_connection.is_usable():
        raise DisconnectionError


def _drop_silent(context: ExceptionContext) -> UnavailableError | None:
    # Nothing can be rolled back on it.
    if not isinstance(context.original_exception, TimeoutError):
        return None
    context.is_disconnect = True
    context.invalidate_pool_on_disconnect = False
    return UnavailableError("The database does not answer.")


def _driver_error(error: Exception) -> BaseException:
    # Not `driver_exception`, which raises where a cached plan no longer fits the schema.
    orig = error.orig if isinstance(error, DBAPIError) else None
    return error if orig is None else orig.__cause__ or orig


@contextmanager
def errors_translated() -> Iterator[None]:
    """Raise an `AppError` for what the database or the pool refuses in this block."""
    try:
        yield
    except (DBAPIError, *DRIVER_ERRORS) as error:
        # While it sets a new connection up, SQLAlchemy lets the driver's errors through.
        known = from_driver(_driver_error(error))
        if known is None:
            raise
        raise known from error
    except PoolTimeoutError as error:
        raise UnavailableError("No database connection became free in time.") from error
