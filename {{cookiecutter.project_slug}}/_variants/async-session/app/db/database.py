"""The database: read-only connections, searches and transactions.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from app.db.abstract_database import AbstractDatabase
from app.db.pool import create_engine, translate_errors
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: What writers work in; `Database.transaction` commits it.
Transaction = AsyncSession


class Database(AbstractDatabase[Transaction]):
    """Database on SQLAlchemy's engine and sessions."""

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self._engine = create_engine(settings)
        # Entities stay readable after the commit, when the response is made from them.
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    async def _open_pool(self) -> None:
        pass

    async def _close_pool(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for reading. See `AbstractDatabase.connection`."""
        self._check_open()
        with translate_errors():
            async with self._engine.connect() as connection:
                await connection.run_sync(self._make_read_only)
                try:
                    yield connection
                except BaseException:
                    # A statement that asyncpg has prepared but not run holds a transaction open,
                    # with its locks.
                    await connection.invalidate()
                    raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection like that of `connection`, and return its result.

        For the hot path: borrowing the connection, the statement and returning the connection need
        one switch between this task and SQLAlchemy's synchronous code instead of three.
        """
        self._check_open()
        with translate_errors():
            return await greenlet_spawn(self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.sync_engine.connect() as connection:
            self._make_read_only(connection)
            try:
                return work(connection)
            except BaseException:
                # As in `connection`.
                connection.invalidate()
                raise

    def _make_read_only(self, connection: Connection) -> None:
        # Faster than `execution_options`, which add event dispatch to each statement if they are
        # set on the engine, and half of that cost if they are set on the connection. The pool
        # resets both attributes.
        driver: Any = connection.connection.dbapi_connection
        if self._settings.pooler == "pgbouncer":
            # Only a transaction keeps all messages of a statement on one server connection.
            driver.readonly = True
        else:
            # Saves BEGIN and COMMIT: two of three round trips.
            driver.autocommit = True

    @asynccontextmanager
    async def search(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for full-text searches. See `AbstractDatabase.search`."""
        self._check_open()
        with translate_errors():
            async with self._search_limits.slot(), self._engine.connect() as connection:
                raw: Any = await connection.get_raw_connection()
                # Keeps SQLAlchemy from sending its own BEGIN, which would not set the timeout.
                raw.dbapi_connection.autocommit = True
                async with self._search_limits.transaction(raw.driver_connection):
                    yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction. See `AbstractDatabase.transaction`."""
        self._check_open()
        with translate_errors():
            session = self._sessions()
            # Shielded: cancelling the request must not interrupt the end of a transaction.
            try:
                yield session
            except BaseException:
                await asyncio.shield(_close(session))
                raise
            await asyncio.shield(_commit(session))


async def _commit(session: AsyncSession) -> None:
    # commit() also returns the connection to the pool, so the session need not be closed.
    try:
        await session.commit()
    except BaseException:
        await _close(session)
        raise


async def _close(session: AsyncSession) -> None:
    """Roll back and return the connection to the pool."""
    try:
        await session.close()
    except Exception:
        # Not raised: it would hide the original error, which may be a cancellation.
        logger.warning("Rollback failed", exc_info=True)
