"""The database: connections for reads and searches, and transactions.

`Database` borrows connections from the engine in `app.db.pool`. No read can write by mistake:

- Normally, every new server session is read-only (`default_transaction_read_only`, set in
  `app.db.dsn`), and only explicit transactions are made READ WRITE (`app.db.guarded_connection`).
- Behind PgBouncer, which does not accept this session setting, a read begins a READ ONLY
  transaction.

A search runs in a READ ONLY transaction in both cases: `SearchLimits` (`app.db.search`) begins it.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from app.db.abstract_database import AbstractDatabase
from app.db.cancellation import finish_despite_cancellation
from app.db.error_translation import translate_errors
from app.db.pool import create_database_engine
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

#: The name that the rest of the service uses for a unit of work. It is SQLAlchemy's session;
#: `Database.transaction` commits it.
Transaction = AsyncSession


class Database(AbstractDatabase[Transaction]):
    """Database on SQLAlchemy's engine and sessions.

    `AbstractDatabase` opens and closes the database, checks that it is open (`_check_open`), holds
    the limits of searches (`_search_limits`), and repeats transactions (`run`).

    `translate_errors` converts errors of the driver to application errors, and raises programming
    errors, such as invalid SQL, unchanged.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self._engine = create_database_engine(settings)
        # Entities stay readable after the commit, when the response is made from them.
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for reading: several statements on one connection, or streaming.

        Each statement runs in its own transaction or, behind PgBouncer, all of them in one.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        self._check_open()
        with translate_errors():
            async with self._engine.connect() as connection:
                await connection.run_sync(self._set_read_mode)
                try:
                    yield connection
                except BaseException:
                    # A cancelled statement may leave its implicit transaction open, with its
                    # locks. Such a connection cannot be told from a clean one, so every exception
                    # in the block discards the connection.
                    await connection.invalidate()
                    raise

    async def read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run `work` on a connection for reading, and return its result.

        Each statement runs in its own transaction or, behind PgBouncer, all of them in one.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.

        Readers use this method for speed. SQLAlchemy's core is synchronous, and each asynchronous
        call enters the core through a new greenlet. Here, one greenlet borrows the connection, runs
        the statement and returns the connection. With `connection`, each of the three steps enters
        its own greenlet.
        """
        self._check_open()
        with translate_errors():
            # SQLAlchemy's own asyncio classes call this function, but its documentation does not
            # mention it. Every test of a reader covers it, such as those in `tests/test_pool.py`.
            return await greenlet_spawn(self._read, work)

    def _read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Do the same as `connection`, in SQLAlchemy's synchronous code. Change both together."""
        with self._engine.sync_engine.connect() as connection:
            self._set_read_mode(connection)
            try:
                return work(connection)
            except BaseException:
                # For the reason given in `connection`.
                connection.invalidate()
                raise

    def _set_read_mode(self, connection: Connection) -> None:
        """Make the connection autocommit or, behind PgBouncer, READ ONLY.

        `_reset_mode` in `app.db.pool` resets both attributes at the next borrow. That module also
        describes the levels of a connection, such as the adapted connection.

        `execution_options` would have the same effect but cost more. With options of the engine,
        SQLAlchemy dispatches an event for each statement. Options of each connection cost about
        half as much as that.
        """
        adapted: Any = connection.connection.dbapi_connection
        if self._settings.pooler == "pgbouncer":
            # PgBouncer keeps all messages of a statement on one server session only within an
            # explicit transaction. SQLAlchemy begins the transaction with the first statement, and
            # rolls it back when the connection is returned.
            adapted.readonly = True
        else:
            # Saves BEGIN and COMMIT: two of three round trips.
            adapted.autocommit = True

    @asynccontextmanager
    async def search(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for full-text searches, in a transaction with their own timeout.

        Raises `UnavailableError` if too many searches are running, or if no connection becomes
        free within the pool's timeout.
        """
        self._check_open()
        with translate_errors():
            async with self._search_limits.slot(), self._engine.connect() as connection:
                pooled: Any = await connection.get_raw_connection()
                # SQLAlchemy must not send its own BEGIN, because `SearchLimits` begins a READ ONLY
                # transaction in one message with the timeout.
                pooled.dbapi_connection.autocommit = True
                # If the block raises, `SearchLimits` closes the driver connection, and the pool
                # drops closed connections at the next borrow, so `invalidate` is not needed.
                async with self._search_limits.transaction(pooled.driver_connection):
                    yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: commit at the end of the block. Roll back if the block raises.

        The connection is borrowed at the first statement. Raises an `AppError` if the database
        rejects a statement or the commit, or if no connection becomes free.

        If the task is cancelled during the commit, the commit still runs to its end, but the caller
        gets `CancelledError` and does not learn whether the commit succeeded.
        """
        self._check_open()
        with translate_errors():
            session = self._sessions()
            try:
                yield session
            except BaseException:
                await finish_despite_cancellation(_roll_back(session))
                raise
            await finish_despite_cancellation(_commit_or_roll_back(session))

    async def _open_pool(self) -> None:
        """Do nothing: the engine connects when a connection is needed."""

    async def _close_pool(self) -> None:
        """Close the idle connections.

        Does not wait for connections in use, such as those of a commit whose task was cancelled.
        """
        await self._engine.dispose()


async def _commit_or_roll_back(session: AsyncSession) -> None:
    """Commit, or roll back if the commit fails. Return the connection to the pool."""
    try:
        # Also returns the connection, so the session need not be closed.
        await session.commit()
    except BaseException:
        await _roll_back(session)
        raise


async def _roll_back(session: AsyncSession) -> None:
    """Roll back and return the connection to the pool. Log a failure without raising it."""
    try:
        # `close` rolls back and returns the connection.
        await session.close()
    except Exception:
        # An exception here would hide the original error, which may be a cancellation.
        logger.warning("Rollback failed", exc_info=True)
