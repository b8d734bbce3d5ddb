"""The database: connections for reads and searches, and transactions.

`Database` borrows connections from the `Pool` in `app.db.pool`. No read can write by mistake:

- Normally, every new server session is read-only (`default_transaction_read_only`, set in
  `app.db.dsn`), and only explicit transactions are made READ WRITE (`app.db.guarded_connection`).
- Behind PgBouncer, which does not accept this setting of a server session, a read begins a READ
  ONLY transaction.

A search runs in a READ ONLY transaction in both cases: `SearchLimits` (`app.db.search`) begins it.

https://www.encode.io/databases/connections_and_transactions/
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from databases.core import Connection
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from app.db.abstract_database import AbstractDatabase
from app.db.base import Row, compile_query
from app.db.error_translation import translate_errors
from app.db.pool import Pool
from app.settings import DatabaseSettings


class Transaction:
    """Transaction that borrows a connection, and begins, at its first statement."""

    def __init__(self, begin: Callable[[], Awaitable[Connection]]) -> None:
        self._begin = begin
        # Two concurrent statements must not both begin the transaction.
        self._begin_lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def fetch_one(self, statement: ClauseElement, /, **values: Any) -> Row | None:
        """Return the first row of the result, or None if there is none.

        `values` are the bound parameters. A statement with bound parameters is compiled only once,
        so define the statement at module level.
        """
        connection = await self._ensure_begun()
        if values:
            rows = await fetch_rows(connection, statement, values)
            return rows[0] if rows else None
        return cast("Row | None", await connection.fetch_one(statement))

    async def fetch_all(self, statement: ClauseElement) -> list[Row]:
        """Return all rows of the result."""
        connection = await self._ensure_begun()
        return cast("list[Row]", await connection.fetch_all(statement))

    async def scalar(self, statement: ClauseElement) -> Any:
        """Return the first column of the first row, or None if there is no row."""
        connection = await self._ensure_begun()
        return await connection.fetch_val(statement)

    async def execute(self, statement: ClauseElement) -> None:
        """Execute a statement and ignore its result."""
        connection = await self._ensure_begun()
        await connection.execute(statement)

    async def _ensure_begun(self) -> Connection:
        async with self._begin_lock:
            if self._connection is None:
                self._connection = await self._begin()
            return self._connection


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
            borrowed = self._pool.autocommit()
        with translate_errors():
            async with borrowed as connection:
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
                self._pool.autocommit() as connection,
                self._search_limits.transaction(connection.raw_connection),
            ):
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
            # Ends the transaction of the pool if a statement has begun it.
            async with AsyncExitStack() as stack:
                yield Transaction(lambda: stack.enter_async_context(self._pool.transaction()))

    async def _open_pool(self) -> None:
        await self._pool.open()

    async def _close_pool(self) -> None:
        """Wait until all connections are returned, then close them."""
        await self._pool.close()


async def fetch_rows(
    connection: Connection, statement: ClauseElement, values: Mapping[str, Any]
) -> list[Row]:
    """Run a statement with these bound parameters and return its rows.

    The SQL is compiled only once and passed directly to asyncpg. Statements that `compile_query`
    cannot compile run through `databases`, which compiles them every time.
    """
    query = compile_query(statement) if isinstance(statement, ReturnsRows) else None
    if query is None:
        bound = statement.params(values) if values else statement
        return cast("list[Row]", await connection.fetch_all(bound))
    rows: list[Row] = await connection.raw_connection.fetch(query.sql, *query.arguments(values))
    return rows
