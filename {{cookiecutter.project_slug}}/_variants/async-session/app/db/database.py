"""The database: connections for reads and searches, and transactions.

`Database` borrows connections from the engine in `app.db.pool`. The session of a new connection is
read-only (`default_transaction_read_only`, set in `app.db.dsn`), and only explicit transactions are
made READ WRITE (`app.db.guarded_connection`). PgBouncer does not accept this session setting, so
behind it a read begins a READ ONLY transaction. In both cases, no read can write by mistake.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from app.db.abstract_database import AbstractDatabase
from app.db.error_translation import translate_errors
from app.db.pool import create_engine
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Name of the unit of work in the rest of the service: the ORM session that writers use.
#: `Database.transaction` commits it.
Transaction = AsyncSession


class Database(AbstractDatabase[Transaction]):
    """Database on SQLAlchemy's engine and sessions."""

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self._engine = create_engine(settings)
        # Entities stay readable after the commit, when the response is made from them.
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for reading.

        Each statement runs in its own transaction, or, behind PgBouncer, all of them in one.

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
                    # in the block discards it.
                    await connection.invalidate()
                    raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection for reading, and return its result.

        Each statement runs in its own transaction, or, behind PgBouncer, all of them in one.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.

        Readers use this method for speed. SQLAlchemy's core is synchronous, and each asynchronous
        call enters it through a new greenlet. Here, one greenlet borrows the connection, runs the
        statement and returns the connection; with `connection`, these are three.
        """
        self._check_open()
        with translate_errors():
            # SQLAlchemy's own asyncio classes call this function, but its documentation does not
            # mention it. Every test of a reader covers it, such as those in `tests/test_pool.py`.
            return await greenlet_spawn(self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        """Do the same as `connection`, in SQLAlchemy's synchronous code."""
        with self._engine.sync_engine.connect() as connection:
            self._set_read_mode(connection)
            try:
                return work(connection)
            except BaseException:
                # For the reason given in `connection`.
                connection.invalidate()
                raise

    def _set_read_mode(self, connection: Connection) -> None:
        """Set in which transactions the statements run. The pool resets the attributes set here.

        The attributes are faster than `execution_options`, which add event dispatch to each
        statement if they are set on the engine, and half of that cost if set on the connection.
        """
        adapted: Any = connection.connection.dbapi_connection
        if self._settings.pooler == "pgbouncer":
            # PgBouncer keeps all messages of a statement on one server connection only within an
            # explicit transaction, here one that is READ ONLY.
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
                raw: Any = await connection.get_raw_connection()
                # Keeps SQLAlchemy from sending its own BEGIN: `SearchLimits` sends one that also
                # sets the timeout. It also closes the connection if the block raises.
                raw.dbapi_connection.autocommit = True
                async with self._search_limits.transaction(raw.driver_connection):
                    yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: commit at the end of the block, roll back if it raises.

        It borrows a connection at its first statement. Raises an `AppError` if the database
        rejects a statement or the commit, or if no connection becomes free.

        If the task is cancelled during the commit, the commit is completed nevertheless. The
        caller gets `CancelledError` and cannot know whether the data are stored.
        """
        self._check_open()
        with translate_errors():
            session = self._sessions()
            try:
                yield session
            except BaseException:
                await _complete(_roll_back(session))
                raise
            await _complete(_commit_or_roll_back(session))

    async def _open_pool(self) -> None:
        """Do nothing: the engine connects when a connection is needed."""

    async def _close_pool(self) -> None:
        await self._engine.dispose()


async def _complete(last_step: Awaitable[None]) -> None:
    """Run the last step of a transaction to its end, even if this task is cancelled.

    A cancelled task raises `CancelledError` at once, while the step continues in a second task. The
    step also returns the connection to the pool, so nothing else uses the connection until then.

    The second task is not garbage-collected: the event loop refers to the open connection, and the
    connection to the future that the task waits for.
    """
    await asyncio.shield(last_step)


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
        await session.close()
    except Exception:
        # An exception here would hide the original error, which may be a cancellation.
        logger.warning("Rollback failed", exc_info=True)
