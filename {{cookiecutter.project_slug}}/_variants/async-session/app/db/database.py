"""The database: connections for reads and searches, transactions, and streams.

`Database` borrows connections from the engine in `app.db.pool`. No read can write by mistake:

- Normally, every new server session is read-only (`default_transaction_read_only`, set in
  `app.db.dsn`), and only explicit transactions are made READ WRITE (`app.db.guarded_connection`).
- Behind PgBouncer, which does not accept this setting of a server session, a read begins a READ
  ONLY transaction.

A search runs in a READ ONLY transaction in both cases: `SearchLimits` (`app.db.search`) begins it.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from app.db.abstract_database import AbstractDatabase
from app.db.base import Row
from app.db.cancellation import finish_despite_cancellation
from app.db.error_translation import repeat_if_outdated, translate_errors
from app.db.pool import create_database_engine
from app.db.transaction import Transaction
from app.settings import DatabaseSettings

ResultT = TypeVar("ResultT")

# Number of rows that a stream fetches at once.
_STREAMED_ROWS = 200


class Database(AbstractDatabase[Transaction]):
    """Database on SQLAlchemy's engine and sessions.

    `AbstractDatabase` opens and closes the database, checks that it is open (`_check_open`), holds
    the limits of searches (`_search_limits`), and retries transactions after serialization failures
    and deadlocks (`run`).

    Statements raise an `AppError` for conflicts, invalid values and unavailability
    (`app.db.error_translation`). Programming errors, such as invalid SQL, pass unchanged.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self._engine = create_database_engine(settings)
        # Entities stay readable after the commit, when the response is made from them.
        self._session_factory = async_sessionmaker(
            self._engine, class_=Transaction, expire_on_commit=False
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection to run several reads. For a single read, `read` is faster.

        Each statement runs in its own transaction or, behind PgBouncer, all of them in one.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        self._check_open()
        async with self._engine.connect() as connection:
            await connection.run_sync(self._set_read_mode)
            yield connection

    @asynccontextmanager
    async def read_session(self) -> AsyncIterator[AsyncSession]:
        """Open a session for reading entities, with their relationships.

        Load the relationships that you read with options such as `selectinload`. The entities stay
        readable after the block. Changes of them are not stored.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        async with self.connection() as connection, AsyncSession(connection) as session:
            yield session

    async def read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run `work` on a connection for reading, and return its result.

        Each statement runs in its own transaction or, behind PgBouncer, all of them in one.

        Faster than `connection`: borrowing, executing and returning run in one greenlet instead of
        three.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        self._check_open()
        # SQLAlchemy's own asyncio classes call this function, but its documentation does not
        # mention it. Every test of a reader covers it, such as those in `tests/test_pool.py`.
        return await greenlet_spawn(repeat_if_outdated, self._read, work)

    def _read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Do the same as `connection`, in SQLAlchemy's synchronous code. Change both together."""
        with self._engine.sync_engine.connect() as connection:
            self._set_read_mode(connection)
            return work(connection)

    def _set_read_mode(self, connection: Connection) -> None:
        """Make the connection autocommit or, behind PgBouncer, READ ONLY."""
        if self._settings.pooler == "pgbouncer":
            # PgBouncer keeps all messages of a statement on one server session only within an
            # explicit transaction. SQLAlchemy begins the transaction with the first statement, and
            # rolls it back when the connection is returned.
            _set_mode(connection.connection, readonly=True)
        else:
            # Saves BEGIN and COMMIT: two of three round trips.
            _set_mode(connection.connection, autocommit=True)

    @asynccontextmanager
    async def search(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection for full-text searches, in a transaction with their own timeout.

        `SearchLimits` begins and ends the transaction, and closes the connection if the block
        raises.

        Raises `UnavailableError` if too many searches are running, or if no connection becomes
        free within the pool's timeout.
        """
        self._check_open()
        with translate_errors():
            async with self._search_limits.slot(), self._engine.connect() as connection:
                pooled = await connection.get_raw_connection()
                # SQLAlchemy must not send its own BEGIN.
                _set_mode(pooled, autocommit=True)
                # The pool drops a closed connection at the next borrow, so `invalidate` is not
                # needed.
                driver: Any = pooled.driver_connection
                async with self._search_limits.transaction(driver):
                    yield connection

    async def stream(self, statement: Executable, /, **values: Any) -> AsyncGenerator[Row, None]:
        """Yield the rows of a statement. `values` are its bound parameters.

        For results that are too large for memory, such as those of a `StreamingResponse`: a
        server-side cursor in a READ ONLY transaction fetches them in parts. The stream holds its
        connection until it ends or is closed. The server closes the connection if the caller takes
        longer than `DB_IDLE_IN_TRANSACTION_TIMEOUT` between two parts.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        self._check_open()
        async with self._streaming_connection() as connection:
            options = {"yield_per": _STREAMED_ROWS}
            async with connection.stream(statement, values, execution_options=options) as result:
                async for rows in result.partitions():
                    for row in rows:
                        yield row

    @asynccontextmanager
    async def _streaming_connection(self) -> AsyncIterator[AsyncConnection]:
        """Borrow a connection in a READ ONLY transaction, which a cursor needs."""
        async with self._engine.connect() as connection:
            _set_mode(await connection.get_raw_connection(), readonly=True)
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction: commit at the end of the block. Roll back if the block raises.

        The connection is borrowed at the first statement. Raises an `AppError` for conflicts and
        invalid values, in statements and in the commit, and if the database is unavailable.

        If the task is cancelled during the commit, the commit still runs to its end, but the caller
        gets `CancelledError` and does not learn whether the commit succeeded.
        """
        self._check_open()
        transaction = self._session_factory()
        try:
            yield transaction
        except BaseException:
            await finish_despite_cancellation(transaction.roll_back_and_end())
            raise
        await finish_despite_cancellation(transaction.commit_and_end())

    async def _open_pool(self) -> None:
        """Do nothing: the engine connects when a connection is needed."""

    async def _close_pool(self) -> None:
        """Close the idle connections.

        Does not wait for connections in use, such as those of a commit whose task was cancelled.
        """
        await self._engine.dispose()


def _set_mode(
    pooled: PoolProxiedConnection, *, autocommit: bool = False, readonly: bool = False
) -> None:
    """Set `autocommit` and `readonly` directly on SQLAlchemy's DBAPI connection.

    The public alternative, `execution_options`, costs more CPU time for each statement.
    `app.db.pool._reset_mode` undoes it.
    """
    dbapi_connection: Any = pooled.dbapi_connection
    dbapi_connection.autocommit = autocommit
    dbapi_connection.readonly = readonly
