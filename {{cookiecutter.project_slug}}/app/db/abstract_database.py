"""The part of `Database` that does not depend on how it connects.

`AbstractDatabase` opens and closes the connection pool, and retries transactions. Its subclass
`app.db.database.Database` provides the pool, connections and transactions.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Any, Generic, Self, TypeVar

from app.db.search import SearchLimits
from app.errors import RetryableError, UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

TransactionT = TypeVar("TransactionT")
ResultT = TypeVar("ResultT")

# Number of times that `run` retries a transaction.
_RETRIES = 3
# Seconds to wait until the pool is closed.
_CLOSE_TIMEOUT = 2


class AbstractDatabase(ABC, Generic[TransactionT]):
    """The connection pool of one process: `async with Database(settings) as database: ...`.

    Opening the pool does not need a server, because the minimum of connections is opened in the
    background, and further connections when they are needed.
    """

    _is_open = False

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._search_limits = SearchLimits(settings)
        self._warm_up: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._open_pool()
        self._is_open = True
        self._warm_up = asyncio.create_task(self._warm_pool())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        if self._warm_up is not None:
            self._warm_up.cancel()
            await asyncio.wait([self._warm_up])
        # An unresponsive server must not keep the process from exiting.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._close_pool()

    @abstractmethod
    def connection(self) -> AbstractAsyncContextManager[Any]:
        """Borrow a connection for reading.

        Each statement runs in its own transaction or, behind PgBouncer, all of them in one.

        Raises `UnavailableError` if no connection becomes free within the pool's timeout.
        """

    @abstractmethod
    def search(self) -> AbstractAsyncContextManager[Any]:
        """Borrow a connection for full-text searches, in a transaction with their own timeout.

        Raises `UnavailableError` if too many searches are running, or if no connection becomes
        free within the pool's timeout.
        """

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[TransactionT]:
        """Open a transaction: commit at the end of the block. Roll back if the block raises.

        The connection is borrowed at the first statement. Raises an `AppError` for conflicts and
        invalid values, in statements and in the commit, and if the database is unavailable.
        """

    async def run(self, work: Callable[[TransactionT], Awaitable[ResultT]]) -> ResultT:
        """Run `work` in a transaction, and return its result.

        For scripts and background tasks. After a serialization failure or deadlock, the whole
        transaction is retried up to three times. Requests are not retried: their clients decide.
        """
        for _ in range(_RETRIES):
            with suppress(RetryableError):
                async with self.transaction() as transaction:
                    return await work(transaction)
        async with self.transaction() as transaction:
            return await work(transaction)

    @abstractmethod
    async def _open_pool(self) -> None:
        """Open the pool, without connecting."""

    @abstractmethod
    async def _close_pool(self) -> None:
        """Close the pool and its connections."""

    def _check_open(self) -> None:
        if not self._is_open:
            raise RuntimeError("Database is not open; use `async with Database(...)`")

    async def _warm_pool(self) -> None:
        """Open the minimum of connections. Log a failure without raising it."""
        try:
            async with AsyncExitStack() as stack:
                # No connection is returned before the last is borrowed, so all are different.
                for _ in range(self._settings.pool_min_size):
                    await stack.enter_async_context(self.connection())
        except UnavailableError as error:
            logger.warning("Database unavailable at startup: %s", error)
