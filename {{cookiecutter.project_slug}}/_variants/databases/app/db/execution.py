"""Execute statements on a connection of the pool, with SQLAlchemy's results."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
from asyncpg.exceptions import InternalServerError
from sqlalchemy import Executable
from sqlalchemy.engine import IteratorResult, ScalarResult
from sqlalchemy.engine.result import ResultMetaData

from app.db.base import Row
from app.db.compilation import Values, compile_statement
from app.db.error_translation import translate_errors
from app.db.guarded_connection import GuardedConnection, terminate
from app.errors import UnavailableError

# Number of rows that a stream fetches at once.
_STREAM_BATCH_SIZE = 100


class DriverConnection(GuardedConnection):
    """Connection of the pool that also keeps the status and the description of results.

    The public methods of asyncpg that do so need another round trip.
    """

    #: The status of the last `fetch`, such as `UPDATE 1`.
    last_status = ""

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """Execute a statement, return its rows, and keep its status.

        An override of asyncpg's method, because the proxies of its pool check that a connection is
        still borrowed only in methods of asyncpg.
        """
        timeout = options.pop("timeout", None)
        records, status, _ = await self._execute(  # type: ignore[attr-defined]
            query, args, 0, timeout, return_status=True, **options
        )
        self.last_status = status.decode()
        return records

    async def describe(self, query: str) -> Sequence[asyncpg.Attribute]:
        """Return the columns of the result of a statement, from asyncpg's statement cache."""
        statement = await self._get_statement(query, None)  # type: ignore[attr-defined]
        attributes: Sequence[asyncpg.Attribute] = statement._get_attributes()  # noqa: SLF001
        return attributes


class StatementResult(IteratorResult[*tuple[Any, ...]]):
    """Result of a statement. Its rows are in memory."""

    def __init__(
        self, metadata: ResultMetaData, records: Sequence[asyncpg.Record], status: str = ""
    ) -> None:
        super().__init__(metadata, iter(records))
        self._status = status

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement inserted, changed, deleted or selected, or -1.

        It is -1 if the server does not count rows, as for DDL, and for a sequence of parameters.
        """
        count = self._status.rpartition(" ")[2]
        return int(count) if count.isdecimal() else -1


class Executor(ABC):
    """Base class of connections and transactions: executes statements.

    `parameters` are the bound parameters of the statement. For a sequence of them, the statement is
    executed once for each element, and only rows of RETURNING are returned.

    Define statements at module level, so that each is built and compiled only once.
    """

    @abstractmethod
    async def _connection(self) -> DriverConnection:
        """Return the connection that runs the statements."""

    async def execute(
        self, statement: Executable, parameters: Values | Sequence[Values] | None = None
    ) -> StatementResult:
        """Execute a statement and return its result, whose rows are in memory.

        Raises `StatementError` if a parameter is missing, and `AppError` for conflicts, invalid
        values and unavailability.
        """
        connection = await self._connection()
        if parameters is None or isinstance(parameters, Mapping):
            return await _execute_once(connection, statement, parameters or {})
        return await _execute_many(connection, statement, parameters)

    async def scalars(
        self, statement: Executable, parameters: Values | None = None
    ) -> ScalarResult[Any]:
        """Execute a statement and return the first column of its rows."""
        return (await self.execute(statement, parameters)).scalars()

    async def scalar(self, statement: Executable, parameters: Values | None = None) -> Any:
        """Execute a statement and return the first column of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()


class Connection(Executor):
    """Connection for reading.

    A failed or cancelled statement may leave its implicit transaction open, with its locks. Such a
    connection cannot be told from a clean one, so every failure closes the connection.
    """

    def __init__(self, driver: DriverConnection) -> None:
        self._driver = driver

    async def _connection(self) -> DriverConnection:
        return self._driver

    async def execute(
        self, statement: Executable, parameters: Values | Sequence[Values] | None = None
    ) -> StatementResult:
        """Execute a statement, as in `Executor`. Close the connection if this fails."""
        try:
            return await super().execute(statement, parameters)
        except BaseException:
            terminate(self._driver)
            raise


class Cursor:
    """Server-side cursor, which ends with the transaction."""

    def __init__(
        self, driver: DriverConnection, cursor: asyncpg.cursor.Cursor, metadata: ResultMetaData
    ) -> None:
        self._driver = driver
        self._cursor = cursor
        self._metadata = metadata

    @classmethod
    async def open(cls, driver: DriverConnection, statement: Executable, values: Values) -> Self:
        """Begin to execute a statement. Raises like `Executor.execute`."""
        compiled = compile_statement(statement, tuple(values))
        sql, arguments = compiled.bind(values)
        async with _driver_errors(driver):
            prepared = await driver.prepare(sql)
            cursor = await prepared.cursor(*arguments)
        return cls(driver, cursor, compiled.describe(prepared.get_attributes()))

    async def fetch(self) -> Sequence[Row]:
        """Return the next rows, or none at the end. Raises `AppError` like `Executor.execute`."""
        async with _driver_errors(self._driver):
            records = await self._cursor.fetch(_STREAM_BATCH_SIZE)
        return StatementResult(self._metadata, records).all()


async def _execute_once(
    driver: DriverConnection, statement: Executable, values: Values
) -> StatementResult:
    compiled = compile_statement(statement, tuple(values))
    sql, arguments = compiled.bind(values)
    async with _driver_errors(driver):
        records = await driver.fetch(sql, *arguments)
        status = driver.last_status
        metadata = compiled.metadata or compiled.describe(await driver.describe(sql))
    return StatementResult(metadata, records, status)


async def _execute_many(
    driver: DriverConnection, statement: Executable, sequence: Sequence[Values]
) -> StatementResult:
    compiled = compile_statement(statement, tuple(sequence[0]) if sequence else ())
    sql, arguments = compiled.bind_many(sequence)
    async with _driver_errors(driver):
        records = await driver.fetchmany(sql, arguments)
        metadata = compiled.metadata or compiled.describe(await driver.describe(sql))
    return StatementResult(metadata, records)


@asynccontextmanager
async def _driver_errors(driver: DriverConnection) -> AsyncIterator[None]:
    """Translate the errors of asyncpg, and prevent that they are repeated on the connection."""
    try:
        with translate_errors():
            yield
    except InternalServerError:
        # A type of a cached statement may have been dropped and created again.
        await driver.reload_schema_state()
        raise
    except TimeoutError as error:
        # A rollback on the connection would time out too.
        terminate(driver)
        raise UnavailableError("The database does not respond.") from error
