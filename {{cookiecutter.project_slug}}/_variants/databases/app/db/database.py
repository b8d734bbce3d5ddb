"""The two ways to use the database: to read, and as a unit of work.

https://www.encode.io/databases/connections_and_transactions/
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Self, TypeVar, cast

from databases.core import Connection
from databases.interfaces import Record
from sqlalchemy.sql import ClauseElement

from app.db.base import ReturningStatement, Row, compile_query
from app.db.pool import Pool, translate_errors
from app.db.search import SearchLimits
from app.errors import RetryableError, UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")

_RETRIES = 3


class Transaction:
    """A unit of work; takes a connection, and begins, at its first statement."""

    def __init__(self, begin: Callable[[], Awaitable[Connection]]) -> None:
        self._begin = begin
        self._beginning = asyncio.Lock()
        self._connection: Connection | None = None

    async def fetch_one(self, statement: ReturningStatement, **values: Any) -> Row | None:
        """The first row of the result, if there is one.

        A statement that is made once, and bound to values by name, is also compiled once.
        """
        connection = await self._begun()
        if values and (prepared := compile_query(statement)):
            raw = connection.raw_connection
            row = await raw.fetchrow(prepared.sql, *prepared.arguments(values))
        else:
            row = await connection.fetch_one(statement.params(values) if values else statement)
        # The records of `databases` have the columns as attributes too.
        return cast("Row | None", row)

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
        self._pool = Pool(settings)
        self._search_limits = SearchLimits(settings)
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._pool.open()
        self._opening = asyncio.create_task(self._warm_pool())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
            self._opening = None
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading: each statement sees what is committed when it runs.

        Raises `UnavailableError` when none is free within the pool's timeout.
        """
        # A transaction pooler keeps the parts of a statement together only in a transaction.
        is_pooled = self._settings.pooler == "pgbouncer"
        with translate_errors():
            reading = self._pool.begin(readonly=True) if is_pooled else self._pool.read()
            async with reading as connection:
                yield connection

    @asynccontextmanager
    async def search(self) -> AsyncIterator[Connection]:
        """Yield a connection for full-text searches, within the limits on them.

        Raises `UnavailableError` if too many searches are running.
        """
        with translate_errors():
            async with (
                self._search_limits.slot(),
                self._pool.read() as connection,
                self._search_limits.transaction(connection.raw_connection),
            ):
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A unit of work: commits when the block ends, rolls back when it raises.

        Raises an `AppError` for what the database refuses, at a statement or at the commit.
        """
        with translate_errors():
            async with AsyncExitStack() as stack:
                yield Transaction(lambda: stack.enter_async_context(self._pool.begin()))

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

    async def _warm_pool(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                for _ in range(self._settings.pool_min_size):
                    await stack.enter_async_context(self.connection())
        except UnavailableError as error:
            logger.warning("The database is away: %s", error)
