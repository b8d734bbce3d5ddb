"""The two ways to use the database: to read, and as a unit of work.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from app.db.pool import create_engine, translate_errors
from app.db.search import SearchLimits
from app.errors import RetryableError, UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: The unit of work.
Transaction = AsyncSession

_RETRIES = 3
# Seconds.
_CLOSE_TIMEOUT = 2


class Database:
    """The database of one process: `async with Database(settings) as database: ...`.

    Opening it needs no server; connections are made when they are first used.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._engine = create_engine(settings)
        # Rows stay readable after the commit, when the response is made from them.
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._search_limits = SearchLimits(settings)
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._opening = asyncio.create_task(self._warm_pool())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
            self._opening = None
        # A server that does not answer must not keep the process from ending.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading: each statement sees what is committed when it runs.

        Raises `UnavailableError` when none is free within the pool's timeout.
        """
        self._check_open()
        with translate_errors():
            async with self._engine.connect() as connection:
                await connection.run_sync(self._read_only)
                try:
                    yield connection
                except BaseException:
                    # What the driver has prepared and not run keeps a transaction and its locks.
                    await connection.invalidate()
                    raise

    @asynccontextmanager
    async def search(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection for full-text searches, within the limits on them.

        Raises `UnavailableError` if too many searches are running.
        """
        self._check_open()
        with translate_errors():
            async with self._search_limits.slot(), self._engine.connect() as connection:
                raw: Any = await connection.get_raw_connection()
                # SQLAlchemy's own BEGIN would not set the limits.
                raw.dbapi_connection.autocommit = True
                async with self._search_limits.transaction(raw.driver_connection):
                    yield connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection like that of `connection`, and give it back.

        Taking it, the statement and giving it back are one switch between SQLAlchemy's
        synchronous inside and this task, where `async with` makes three of them.
        """
        self._check_open()
        with translate_errors():
            return await greenlet_spawn(self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.sync_engine.connect() as connection:
            self._read_only(connection)
            try:
                return work(connection)
            except BaseException:
                # As in `connection`.
                connection.invalidate()
                raise

    def _read_only(self, connection: Connection) -> None:
        # Not by `execution_options`: those of an engine let each statement run through event
        # dispatch, and those of a connection cost half as much. The pool resets it.
        driver: Any = connection.connection.dbapi_connection
        if self._settings.pooler == "pgbouncer":
            # It keeps the parts of a statement on one server connection only in a transaction.
            driver.readonly = True
        else:
            # On its own a statement needs no BEGIN and COMMIT, two round trips of three.
            driver.autocommit = True

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A unit of work: commits when the block ends, rolls back when it raises.

        It takes a connection at its first statement. Raises an `AppError` for what the
        database refuses, at a statement or at the commit.
        """
        self._check_open()
        with translate_errors():
            session = self._sessions()
            try:
                yield session
            except BaseException:
                await asyncio.shield(_close(session))
                raise
            await asyncio.shield(_commit(session))

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Do `work` in a transaction, again (three times at most) when it gave way to another.

        For scripts and background tasks; a request is never replayed.
        """
        for _ in range(_RETRIES):
            with suppress(RetryableError):
                async with self.transaction() as session:
                    return await work(session)
        async with self.transaction() as session:
            return await work(session)

    def _check_open(self) -> None:
        if self._opening is None:
            raise RuntimeError("the database is not open: enter it with `async with`")

    async def _warm_pool(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                for _ in range(self._settings.pool_min_size):
                    await stack.enter_async_context(self.connection())
        except UnavailableError as error:
            logger.warning("The database is away: %s", error)


async def _commit(session: AsyncSession) -> None:
    # It gives the connection back too: a session that has committed need not be closed.
    try:
        await session.commit()
    except BaseException:
        await _close(session)
        raise


async def _close(session: AsyncSession) -> None:
    try:
        await session.close()
    except Exception:
        # It says less than the error that it would hide, which may be a cancellation.
        logger.warning("A rollback failed", exc_info=True)
