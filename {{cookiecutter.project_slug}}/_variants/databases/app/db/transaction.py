"""Transactions: statements and savepoints on one connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from app.db.cancellation import transaction_block
from app.db.driver import DriverConnection, DriverErrors
from app.db.error_translation import translate_errors
from app.db.execution import Executor
from app.db.pool import Pool
from app.db.statements import CONCURRENT_STATEMENTS, TRANSACTION_ENDED


class Transaction(Executor):
    """Transaction that borrows a connection, and begins, at its first statement.

    `async with` commits at the end of the block, and rolls back if the block raises. After that,
    and while another statement of it is running, as with `asyncio.gather`, every method raises
    `RuntimeError`.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._stack = AsyncExitStack()
        # Two concurrent statements must not both begin the transaction.
        self._begin_lock = asyncio.Lock()
        self._driver: DriverConnection | None = None
        self._has_ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._has_ended = True
        # Ends the transaction of the pool if a statement has begun it.
        await self._stack.__aexit__(error_type, error, traceback)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Set a savepoint. If the block raises, roll back to it; the transaction continues.

        Catch errors of statements around the block, not in it. If the block suppresses one, the
        savepoint is rolled back too, and its end raises `RuntimeError`.
        """
        driver = await self._connection()
        with translate_errors():
            async with transaction_block(driver):
                yield

    @asynccontextmanager
    async def driver_connection(self) -> AsyncIterator[DriverConnection]:
        """Yield the asyncpg connection of the transaction, for COPY.

        Raises `AppError` for errors in the block, like `execute`.
        """
        driver = await self._connection()
        async with DriverErrors(driver):
            yield driver

    def _handle_failure(self) -> None:
        """Do nothing: the end of the transaction or of a savepoint rolls back."""

    async def _connection(self) -> DriverConnection:
        async with self._begin_lock:
            self._check_active()
            if self._driver is None:
                self._driver = await self._begin()
            # The proxy of a connection that was closed has no attributes.
            elif getattr(self._driver, "running", 0):
                raise RuntimeError(CONCURRENT_STATEMENTS)
            return self._driver

    async def _begin(self) -> DriverConnection:
        async with AsyncExitStack() as stack:
            driver = await stack.enter_async_context(self._pool.transaction())
            # The block may have ended while another task borrowed the connection. An exception
            # here returns the connection.
            self._check_active()
            self._stack.push_async_exit(stack.pop_all())
        return driver

    def _check_active(self) -> None:
        if self._has_ended:
            raise RuntimeError(TRANSACTION_ENDED)
