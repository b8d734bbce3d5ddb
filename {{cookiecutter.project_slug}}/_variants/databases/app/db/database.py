"""The database: connections for reads and searches, transactions, and streams.

`Database` borrows connections from the `Pool` in `app.db.pool`. No read can write by mistake:

- Normally, every new server session is read-only (`default_transaction_read_only`, set in
  `app.db.dsn`), and only explicit transactions are made READ WRITE (`app.db.guarded_connection`).
- Behind PgBouncer, which does not accept this setting of a server session, a read begins a READ
  ONLY transaction.

A search runs in a READ ONLY transaction in both cases: `SearchLimits` (`app.db.search`) begins it.

https://www.encode.io/databases/connections_and_transactions/
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Executable

from app.db.abstract_database import AbstractDatabase
from app.db.base import Row
from app.db.error_translation import translate_errors
from app.db.execution import Connection, Cursor
from app.db.pool import Pool
from app.db.transaction import Transaction
from app.settings import DatabaseSettings


class Database(AbstractDatabase[Transaction]):
    """Database on a connection pool that uses the `databases` package.

    `AbstractDatabase` opens and closes the database, checks that it is open (`_check_open`), holds
    the limits of searches (`_search_limits`), and retries transactions after serialization failures
    and deadlocks (`run`).

    Every method raises an `AppError` for conflicts, invalid values and unavailability
    (`translate_errors`). Programming errors, such as invalid SQL, pass unchanged.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self._pool = Pool(settings)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reading.

        Each statement runs in its own transaction or, behind PgBouncer, all of them in one.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        self._check_open()
        if self._settings.pooler == "pgbouncer":
            # PgBouncer keeps all messages of a statement on one server session only within an
            # explicit transaction, which ends with the block.
            borrowed = self._pool.transaction(readonly=True)
        else:
            # Saves BEGIN and COMMIT: two of three round trips.
            borrowed = self._pool.acquire()
        with translate_errors():
            async with borrowed as driver:
                with Connection(driver) as connection:
                    yield connection

    @asynccontextmanager
    async def search(self) -> AsyncIterator[Connection]:
        """Borrow a connection for full-text searches, in a transaction with their own timeout.

        `SearchLimits` begins and ends the transaction, and closes the connection if the block
        raises.

        Raises `UnavailableError` if too many searches are running, or if no connection becomes
        free within the pool's timeout.
        """
        self._check_open()
        with translate_errors():
            async with (
                self._search_limits.slot(),
                self._pool.acquire() as driver,
                self._search_limits.transaction(driver),
            ):
                with Connection(driver) as connection:
                    yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction: commit at the end of the block. Roll back if the block raises.

        The connection is borrowed at the first statement. Raises an `AppError` for conflicts and
        invalid values, in statements and in the commit, and if the database is unavailable.

        If the task is cancelled during the commit, the data may or may not be stored.
        """
        self._check_open()
        with translate_errors():
            async with Transaction(self._pool) as transaction:
                yield transaction

    async def stream(self, statement: Executable, /, **values: Any) -> AsyncGenerator[Row]:
        """Yield the rows of a statement. `values` are its bound parameters.

        For results that are too large for memory, such as those of a `StreamingResponse`: a
        server-side cursor in a READ ONLY transaction fetches them in parts. The stream holds its
        connection until it ends or is closed. The server closes the connection if the caller takes
        longer than `DB_IDLE_IN_TRANSACTION_TIMEOUT` between two parts.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """
        self._check_open()
        with translate_errors():
            async with self._pool.transaction(readonly=True) as driver:
                cursor = await Cursor.open(driver, statement, values)
                while rows := await cursor.fetch():
                    for row in rows:
                        yield row

    async def _open_pool(self) -> None:
        await self._pool.open()

    async def _close_pool(self) -> None:
        """Wait until all connections are returned, then close them."""
        await self._pool.close()
