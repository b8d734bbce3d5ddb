"""Execute statements on a connection of the pool, with SQLAlchemy's results."""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeAlias

import asyncpg
import sqlalchemy
from sqlalchemy import Executable
from sqlalchemy.engine import IteratorResult, ScalarResult
from sqlalchemy.engine.result import ResultMetaData
from sqlalchemy.engine.util import _distill_params_20
from sqlalchemy.exc import ResourceClosedError

from app.db.base import Row
from app.db.compilation import NO_ROWS, Values, compile_statement
from app.db.driver import DriverConnection, DriverErrors
from app.db.guarded_connection import terminate
from app.db.statements import FetchMethods, reject_empty

# How to convert the records, the records, and the status, such as `UPDATE 1`.
_Outcome: TypeAlias = tuple[ResultMetaData, Sequence[asyncpg.Record], str]

# Number of rows that a stream fetches at once.
_STREAM_BATCH_SIZE = 100


class StatementResult(IteratorResult[*tuple[Any, ...]]):
    """Result of a statement. Its rows are in memory."""

    def __init__(
        self, metadata: ResultMetaData, records: Sequence[asyncpg.Record], status: str
    ) -> None:
        super().__init__(metadata, iter(records))
        self._status = status
        if metadata is NO_ROWS:
            self.close()

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement inserted, changed, deleted or selected, or -1.

        It is -1 if the server does not count rows, as for DDL, and for a sequence of parameters.
        """
        count = self._status.rpartition(" ")[2]
        return int(count) if count.isdecimal() else -1


class Executor(FetchMethods):
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

        Raises `ArgumentError` for an empty sequence, `StatementError` if a parameter is missing,
        and `AppError` for conflicts, invalid values and unavailability.
        """
        if parameters is None:
            parameters = {}
        elif not isinstance(parameters, Mapping):
            reject_empty(parameters)
            # Raises `ArgumentError` if they are not mappings, as SQLAlchemy's connection does.
            parameters = _distill_params_20(parameters)
        return StatementResult(*await self._run(statement, parameters))

    async def fetch_all(self, statement: Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement. Raises like `execute`."""
        metadata, records, _ = await self._run(statement, values)
        return _rows(metadata, records)

    async def scalars(
        self, statement: Executable, parameters: Values | None = None
    ) -> ScalarResult[Any]:
        """Execute a statement and return the first column of its rows."""
        return (await self.execute(statement, parameters)).scalars()

    async def scalar(self, statement: Executable, parameters: Values | None = None) -> Any:
        """Execute a statement and return the first column of the first row, or None."""
        return (await self.execute(statement, parameters)).scalar()

    async def _run(self, statement: Executable, values: Values | Sequence[Values]) -> _Outcome:
        if isinstance(values, Mapping):
            compiled = compile_statement(statement, tuple(values))
            sql, arguments = compiled.bind(values)
        else:
            compiled = compile_statement(statement, tuple(values[0]))
            sql, arguments = compiled.bind_many(values)
        driver = await self._connection()
        try:
            async with DriverErrors(driver):
                if isinstance(values, Mapping):
                    records, status = await driver.fetch(sql, *arguments), driver.last_status
                else:
                    records, status = await driver.fetchmany(sql, arguments), ""
                metadata = compiled.metadata or compiled.describe(await driver.describe(sql))
        except BaseException:
            self._handle_failure()
            raise
        return metadata, records, status

    @abstractmethod
    def _handle_failure(self) -> None:
        """Keep a failed or cancelled statement from affecting the next user of the connection."""


class Connection(Executor):
    """Connection for reading, which can be used until the end of its block.

    A failed or cancelled statement may leave its implicit transaction open, with its locks. asyncpg
    does not report such a transaction, so every failure closes the connection.
    """

    def __init__(self, driver: DriverConnection) -> None:
        self._driver = driver
        # Concurrent statements wait for each other, as on SQLAlchemy's connection.
        self._lock = asyncio.Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True

    async def _connection(self) -> DriverConnection:
        if self._is_closed:
            # Like SQLAlchemy's connection. asyncpg's error is that of a lost connection.
            raise ResourceClosedError("This connection is closed")
        return self._driver

    async def _run(self, statement: Executable, values: Values | Sequence[Values]) -> _Outcome:
        async with self._lock:
            return await super()._run(statement, values)

    def _handle_failure(self) -> None:
        terminate(self._driver)


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
        async with DriverErrors(driver):
            prepared = await driver.prepare(sql)
            cursor = await prepared.cursor(*arguments)
        return cls(driver, cursor, compiled.describe(prepared.get_attributes()))

    async def fetch(self) -> Sequence[Row]:
        """Return the next rows, or an empty list at the end. Raises like `Executor.execute`."""
        async with DriverErrors(self._driver):
            records = await self._cursor.fetch(_STREAM_BATCH_SIZE)
        return _rows(self._metadata, records)


def _rows(metadata: ResultMetaData, records: Sequence[Any]) -> list[Row]:
    """Return the rows. `StatementResult.all` would return the same, in twice the time."""
    processors = metadata._effective_processors  # noqa: SLF001
    key_to_index = metadata._key_to_index  # noqa: SLF001
    return [sqlalchemy.Row(metadata, processors, key_to_index, record) for record in records]
