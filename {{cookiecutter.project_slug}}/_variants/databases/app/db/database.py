"""The database: read-only connections, searches and transactions.

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
from app.db.pool import Pool, translate_errors
from app.settings import DatabaseSettings


class Transaction:
    """A transaction that borrows a connection, and begins, at its first statement."""

    def __init__(self, begin: Callable[[], Awaitable[Connection]]) -> None:
        self._begin = begin
        self._beginning = asyncio.Lock()
        self._connection: Connection | None = None

    async def fetch_one(self, statement: ClauseElement, **values: Any) -> Row | None:
        """Return the first row of the result, or None if there is none.

        `values` are the bound parameters of a statement that is defined at module level; such a
        statement is compiled only once.
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
        async with self._beginning:
            if self._connection is None:
                self._connection = await self._begin()
            return self._connection


class Database(AbstractDatabase[Transaction]):
    """Database on a pool of `databases`."""

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self._pool = Pool(settings)

    async def _open_pool(self) -> None:
        await self._pool.open()

    async def _close_pool(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reading. See `AbstractDatabase.connection`."""
        self._check_open()
        # Behind a transaction pooler, only a transaction keeps all messages of a statement on one
        # server connection.
        is_pooled = self._settings.pooler == "pgbouncer"
        reading = self._pool.transaction(readonly=True) if is_pooled else self._pool.read()
        with translate_errors():
            async with reading as connection:
                yield connection

    @asynccontextmanager
    async def search(self) -> AsyncIterator[Connection]:
        """Borrow a connection for full-text searches. See `AbstractDatabase.search`."""
        self._check_open()
        with translate_errors():
            async with (
                self._search_limits.slot(),
                self._pool.read() as connection,
                self._search_limits.transaction(connection.raw_connection),
            ):
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction. See `AbstractDatabase.transaction`."""
        self._check_open()
        with translate_errors():
            async with AsyncExitStack() as stack:
                yield Transaction(lambda: stack.enter_async_context(self._pool.transaction()))


async def fetch_rows(
    connection: Connection, statement: ClauseElement, values: Mapping[str, Any]
) -> list[Row]:
    """Run a statement with these bound parameters and return its rows.

    The compiled query goes to asyncpg directly; what cannot be compiled goes through `databases`.
    """
    query = compile_query(statement) if isinstance(statement, ReturnsRows) else None
    if query is None:
        bound = statement.params(values) if values else statement
        return cast("list[Row]", await connection.fetch_all(bound))
    rows: list[Row] = await connection.raw_connection.fetch(query.sql, *query.arguments(values))
    return rows
