"""The transaction: SQLAlchemy's session, which `Database.transaction` commits.

https://docs.sqlalchemy.org/en/21/orm/session_transaction.html
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVarTuple, overload

import asyncpg
from sqlalchemy import Connection, CursorResult, Executable, Result, UpdateBase, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.selectable import TypedReturnsRows

from app.db.base import Row
from app.db.error_translation import translate_errors
from app.db.guarded_connection import terminate
from app.db.statements import (
    CONCURRENT_STATEMENTS,
    TRANSACTION_ENDED,
    FetchMethods,
    reject_empty,
)
from app.errors import UnavailableError

logger = logging.getLogger(__name__)

Ts = TypeVarTuple("Ts")


class _SingleTransactionSession(Session):
    """Session that cannot be used after the end of its transaction, or by two tasks at once.

    SQLAlchemy's would begin another transaction, which nothing commits, on another connection,
    which nothing returns to the pool.

    The class overrides three private methods of SQLAlchemy: every method calls `_autobegin_t` if it
    needs a transaction, `_connection_for_bind` if it needs a connection, and `_execute_internal` if
    it executes a statement. `tests/test_transaction_end.py`, `tests/test_concurrent_statements.py`
    and `tests/sql` cover them.
    """

    has_ended = False
    #: Whether a statement waits for a connection.
    is_connecting = False
    # SQLAlchemy's DBAPI connection holds this lock while it runs a statement.
    _statement_lock: asyncio.Lock | None = None

    def _autobegin_t(self, begin: bool = False) -> SessionTransaction:
        # The first statement begins the transaction while it gets its connection.
        self._check_usable(is_first=not self.in_transaction())
        return super()._autobegin_t(begin)

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Begin the transaction, or set a savepoint."""
        self._check_usable()
        return super().begin(nested)

    def _execute_internal(self, statement: Any, params: Any = None, **options: Any) -> Any:
        reject_empty(params)
        return super()._execute_internal(statement, params, **options)

    def _check_usable(self, *, is_first: bool = False) -> None:
        if self.has_ended:
            raise RuntimeError(TRANSACTION_ENDED)
        is_running = self._statement_lock is not None and self._statement_lock.locked()
        if is_running or (self.is_connecting and not is_first):
            raise RuntimeError(CONCURRENT_STATEMENTS)

    def _connection_for_bind(self, *args: Any, **options: Any) -> Connection:
        self._check_usable()
        self.is_connecting = True
        try:
            connection = super()._connection_for_bind(*args, **options)
        finally:
            self.is_connecting = False
        if self.has_ended:
            # A task that was not awaited has waited longer than the transaction.
            self.close()
            raise RuntimeError(TRANSACTION_ENDED)
        if self._statement_lock is None:
            dbapi_connection: Any = connection.connection.dbapi_connection
            self._statement_lock = dbapi_connection._execute_mutex  # noqa: SLF001
        return connection


class Transaction(FetchMethods, AsyncSession):
    """Transaction that begins at its first statement: an `AsyncSession` with `fetch_*` methods.

    Statements and flushes raise `AppError` for conflicts, invalid values and unavailability. After
    the end of the transaction, and while another statement of it is running, as with
    `asyncio.gather`, they raise `RuntimeError`.
    """

    sync_session_class = _SingleTransactionSession
    sync_session: _SingleTransactionSession

    if TYPE_CHECKING:
        # `AsyncSession` declares a `Result` without `rowcount`, also for INSERT, UPDATE and DELETE.
        @overload
        async def execute(
            self, statement: TypedReturnsRows[*Ts], params: Any = None, **options: Any
        ) -> Result[*Ts]: ...
        @overload
        async def execute(
            self, statement: UpdateBase, params: Any = None, **options: Any
        ) -> CursorResult[*tuple[Any, ...]]: ...
        @overload
        async def execute(
            self, statement: Executable, params: Any = None, **options: Any
        ) -> Result[*tuple[Any, ...]]: ...

        async def execute(self, statement: Executable, params: Any = None, **options: Any) -> Any:
            """Execute a statement and return its result."""

    async def fetch_all(self, statement: Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement. `values` are its bound parameters."""
        return (await self.execute(statement, values)).all()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Set a savepoint. If the block raises, roll back to it; the transaction continues.

        Catch errors of statements around the block, not in it. If the block suppresses one, the
        savepoint is rolled back too, and its end raises `RuntimeError`.
        """
        async with self.begin_nested():
            yield

    @asynccontextmanager
    async def driver_connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Yield the asyncpg connection of the transaction, for COPY.

        Raises `AppError` for errors in the block, like `execute`.
        """
        pooled = await (await self.connection()).get_raw_connection()
        driver: Any = pooled.driver_connection
        if not driver.is_in_transaction():
            # SQLAlchemy sends BEGIN with its own first statement.
            await self.execute(select(1))
        try:
            with translate_errors():
                yield driver
        except TimeoutError as error:
            # A rollback on the connection would time out too.
            terminate(driver)
            raise UnavailableError("The database does not respond.") from error

    async def commit_and_end(self) -> None:
        """Commit, or roll back if the commit fails. Return the connection to the pool."""
        if self.sync_session.is_connecting:
            # No statement has run.
            self.sync_session.has_ended = True
            return
        try:
            # Also returns the connection, so the session need not be closed.
            await self.commit()
        except BaseException:
            await self.roll_back_and_end()
            raise
        self.sync_session.has_ended = True

    async def roll_back_and_end(self) -> None:
        """Roll back and return the connection to the pool. Log a failure without raising it."""
        self.sync_session.has_ended = True
        if self.sync_session.is_connecting:
            return
        try:
            # `close` rolls back and returns the connection.
            await self.close()
        except Exception:
            # An exception here would hide the original error, which may be a cancellation.
            logger.warning("Rollback failed", exc_info=True)
