"""The pool of connections, none of which is lost, and what it raises in terms of the service.

https://magicstack.github.io/asyncpg/current/api/index.html#connection-pools
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import databases
from anyio import fail_after
from asyncpg import InterfaceError, PostgresError
from databases.core import Connection

from app.db.base import Row
from app.db.connection import GuardedConnection, connect
from app.db.dsn import connect_kwargs
from app.db.errors import DRIVER_ERRORS, translate_driver_error
from app.db.turns import Turns
from app.errors import UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

# Seconds: for closing the pool; for the end of a transaction, or giving a connection back.
_CLOSE_TIMEOUT = 2
_END_TIMEOUT = 5


class _Connection(GuardedConnection):
    async def fetch(self, *args: Any, **options: Any) -> Any:
        with _dropped_if_silent(self):
            return await super().fetch(*args, **options)

    async def fetchrow(self, *args: Any, **options: Any) -> Any:
        with _dropped_if_silent(self):
            return await super().fetchrow(*args, **options)

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        with _dropped_if_silent(self):
            return await super().fetchval(*args, **options)


@contextmanager
def _dropped_if_silent(connection: GuardedConnection) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        # Nothing can be rolled back on it.
        _drop(connection)
        raise UnavailableError("The database does not answer.") from error


class Pool:
    """Connections of `databases`, so that a cancelled task neither keeps nor breaks one."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._timeout = settings.pool_timeout
        self._pool = databases.Database(
            # The address is in the options, where no log line shows it.
            "postgresql://",
            # asyncpg would connect at once, and fail when the server is away.
            min_size=0,
            max_size=settings.pool_max_size,
            # Spares a round trip at each release; session state would reach the next borrower,
            # so use SET LOCAL and locks that end with the transaction.
            reset=_keep_session,
            record_class=Row,
            **connect_kwargs(settings) | {"connect": connect, "connection_class": _Connection},
        )
        self._backend: Any = self._pool._backend  # noqa: SLF001 - nothing public leads to it
        self._turns = Turns(settings.pool_max_size)
        # At INFO it repeats what is said here, at DEBUG it shows the values of every query.
        logging.getLogger("databases").setLevel(logging.WARNING)

    async def open(self) -> None:
        """Make ready; connects nowhere yet."""
        await self._pool.connect()

    async def close(self) -> None:
        """Wait a moment for connections that are in use, then drop them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._pool.disconnect()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection, given back or dropped however the block ends."""
        if not self._pool.is_connected:
            raise RuntimeError("the database is not open: enter it with `async with`")
        # Not `database.connection()`, which gives the same one to everything in a task: reads
        # would join the transaction beside them.
        connection = Connection(self._pool, self._backend)
        try:
            async with asyncio.timeout(self._timeout):
                await self._enter(connection)
        except TimeoutError as error:
            raise UnavailableError("No database connection became free in time.") from error
        except (OSError, *DRIVER_ERRORS) as error:
            self._turns.warn(error)
            raise UnavailableError("The database cannot be reached.") from error
        raw = connection.raw_connection
        try:
            yield connection
        finally:
            try:
                await _end(raw, connection.__aexit__)
            finally:
                self._turns.release()

    async def _enter(self, connection: Connection) -> None:
        """Wait for a turn, and enter a connection that the server has not closed."""
        while True:
            await self._turns.acquire()
            try:
                await connection.__aenter__()
                while not connection.raw_connection.is_usable():
                    _drop(connection.raw_connection)
                    await _end(connection.raw_connection, connection.__aexit__)
                    await connection.__aenter__()
            except BaseException as error:
                idle = self._backend._pool.get_idle_size()  # noqa: SLF001
                if self._turns.withhold_if_full(error, idle=idle):
                    continue
                self._turns.release()
                raise
            return

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection on which each statement is a transaction of its own."""
        async with self.acquire() as connection:
            try:
                yield connection
            except BaseException:
                # What the driver has prepared and not run keeps a transaction and its locks.
                _drop(connection.raw_connection)
                raise

    @asynccontextmanager
    async def begin(self, *, readonly: bool = False) -> AsyncIterator[Connection]:
        """A connection in a transaction: committed, or rolled back when the block raises."""
        # The driver's own transaction: that of `databases` loses its connection for good when
        # it is cancelled while it begins or commits.
        async with self.acquire() as connection:
            raw = connection.raw_connection
            transaction = raw.transaction(readonly=readonly)
            await _end(raw, transaction.start)
            try:
                yield connection
            except BaseException:
                try:
                    await _end(raw, transaction.rollback)
                except Exception:
                    logger.warning("A rollback failed", exc_info=True)
                raise
            await _end(raw, transaction.commit)


async def _end(raw: Any, step: Callable[..., Awaitable[Any]]) -> None:
    """Finish a step that cancellation must not leave half done, or drop the connection."""
    try:
        with fail_after(_END_TIMEOUT, shield=True):
            await step()
    except PostgresError:
        raise
    except BaseException as error:
        _drop(raw)
        if isinstance(error, TimeoutError):
            raise UnavailableError("The database does not answer.") from error
        raise


def _drop(raw: Any) -> None:
    # It may be closed already.
    with suppress(InterfaceError):
        raw.terminate()


async def _keep_session(_connection: Any) -> None:
    pass


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise an `AppError` for what the database refuses in this block."""
    try:
        yield
    except DRIVER_ERRORS as error:
        known = translate_driver_error(error)
        if known is None:
            raise
        raise known from error
