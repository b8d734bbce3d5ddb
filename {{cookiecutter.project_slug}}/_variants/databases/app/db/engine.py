"""The pool of connections, and the two ways to use one: to read, and as a unit of work.

https://www.encode.io/databases/connections_and_transactions/
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import Any, Self, TypeVar

import databases
from anyio import fail_after
from asyncpg import InterfaceError, PostgresError
from databases.core import Connection
from databases.interfaces import Record
from sqlalchemy.sql import ClauseElement

from app.db.address import connect_options
from app.db.base import Row
from app.db.errors import DRIVER_ERRORS, from_driver
from app.errors import RetryableError, UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

_RETRIES = 3
# Seconds: for closing the pool; for the end of a transaction, or giving a connection back.
_CLOSE_TIMEOUT = 2
_END_TIMEOUT = 5


class Transaction:
    """A unit of work; takes a connection, and begins, at its first statement."""

    def __init__(self, begin: Callable[[], Awaitable[Connection]]) -> None:
        self._begin = begin
        self._beginning = asyncio.Lock()
        self._connection: Connection | None = None

    async def fetch_one(self, statement: ClauseElement) -> Record | None:
        """The first row of the result, if there is one."""
        return await (await self._begun()).fetch_one(statement)

    async def fetch_all(self, statement: ClauseElement) -> list[Record]:
        """All rows of the result."""
        return await (await self._begun()).fetch_all(statement)

    async def execute(self, statement: ClauseElement) -> Any:
        """The first column of the first row, if there is one."""
        return await (await self._begun()).execute(statement)

    async def _begun(self) -> Connection:
        async with self._beginning:
            if self._connection is None:
                self._connection = await self._begin()
            return self._connection


class Database:
    """The database of one process: `async with Database(settings) as database: ...`.

    Opening it needs no server; connections are made when they are first used.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
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
            **connect_options(settings),
        )
        # At INFO it repeats what is said here, at DEBUG it shows the values of every query.
        logging.getLogger("databases").setLevel(logging.WARNING)
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._pool.connect()
        self._opening = asyncio.create_task(self._open_minimum())
        logger.info("Database pool opened")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
            self._opening = None
        # Waits for connections that are in use, then drops them.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._pool.disconnect()
        logger.info("Database pool closed")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading: each statement sees what is committed when it runs.

        Raises `UnavailableError` when none is free within the pool's timeout.
        """
        # A transaction pooler keeps the parts of a statement together only in a transaction.
        is_pooled = self._settings.pooler == "pgbouncer"
        with _errors_translated():
            async with self._begin() if is_pooled else self._acquire() as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A unit of work: commits when the block ends, rolls back when it raises.

        Raises an `AppError` for what the database refuses, at a statement or at the commit.
        """
        with _errors_translated():
            async with AsyncExitStack() as stack:
                yield Transaction(lambda: stack.enter_async_context(self._begin()))

    async def run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do `work` in a transaction, again (three times at most) when it gave way to another.

        For scripts and background tasks; a request is never replayed.
        """
        for _ in range(_RETRIES):
            with suppress(RetryableError):
                async with self.transaction() as transaction:
                    return await work(transaction)
        async with self.transaction() as transaction:
            return await work(transaction)

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Connection]:
        if self._opening is None:
            raise RuntimeError("the database is not open: enter it with `async with`")
        # Not `database.connection()`, which gives the same one to everything in a task: reads
        # would join the transaction beside them.
        connection = Connection(self._pool, self._pool._backend)  # noqa: SLF001
        try:
            async with asyncio.timeout(self._settings.pool_timeout):
                await connection.__aenter__()
        except TimeoutError as error:
            raise UnavailableError("No database connection became free in time.") from error
        except (OSError, *DRIVER_ERRORS) as error:
            raise UnavailableError("The database cannot be reached.") from error
        raw = connection.raw_connection
        try:
            yield connection
        finally:
            await _end(raw, connection.__aexit__)

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[Connection]:
        # The driver's own transaction: that of `databases` loses its connection for good when
        # it is cancelled while it begins or commits.
        async with self._acquire() as connection:
            raw = connection.raw_connection
            transaction = raw.transaction()
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

    async def _open_minimum(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                for _ in range(self._settings.pool_min_size):
                    await stack.enter_async_context(self.connection())
        except UnavailableError as error:
            logger.warning("The database is away: %s", error)


async def _end(raw: Any, step: Callable[..., Awaitable[Any]]) -> None:
    """Finish a step that cancellation must not leave half done, or drop the connection."""
    try:
        with fail_after(_END_TIMEOUT, shield=True):
            await step()
    except PostgresError:
        raise
    except BaseException as error:
        with suppress(InterfaceError):
            raw.terminate()
        if isinstance(error, TimeoutError):
            raise UnavailableError("The database does not answer.") from error
        raise


async def _keep_session(_connection: Any) -> None:
    pass


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except DRIVER_ERRORS as error:
        known = from_driver(error)
        if known is None:
            raise
        raise known from error
