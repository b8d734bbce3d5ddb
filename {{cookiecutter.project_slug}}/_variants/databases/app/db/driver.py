"""The connection of the driver, asyncpg, and what happens when a statement on it fails."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg.exceptions import InternalServerError

from app.db.error_translation import raise_translated
from app.db.errors import DRIVER_ERRORS
from app.db.guarded_connection import GuardedConnection, terminate
from app.errors import UnavailableError


class DriverConnection(GuardedConnection):
    """Connection of the pool that also keeps the status and the description of results.

    The public methods of asyncpg that do so need another round trip.
    """

    #: The status of the last `fetch`, such as `UPDATE 1`.
    last_status = ""
    #: The number of statements that have not ended, because a task that runs one was not awaited.
    running = 0

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        """Execute a statement, return its rows, and keep its status.

        Overrides a method of asyncpg, because only for those, the proxies of its pool check that
        the connection is still borrowed.
        """
        timeout = options.pop("timeout", None)
        self.running += 1
        try:
            records, status, _ = await self._execute(  # type: ignore[attr-defined]
                query, args, 0, timeout, return_status=True, **options
            )
        finally:
            self.running -= 1
        self.last_status = status.decode()
        return records

    async def fetchmany(self, *args: Any, **options: Any) -> Any:
        """Execute a statement once for each element of a sequence, and return its rows."""
        self.running += 1
        try:
            return await super().fetchmany(*args, **options)
        finally:
            self.running -= 1

    async def describe(self, query: str) -> Sequence[asyncpg.Attribute]:
        """Return the columns of the result of a statement, from asyncpg's statement cache."""
        statement = await self._get_statement(query, None)  # type: ignore[attr-defined]
        attributes: Sequence[asyncpg.Attribute] = statement._get_attributes()  # noqa: SLF001
        return attributes


class DriverErrors:
    """Translates the errors of asyncpg, and keeps the connection from repeating them.

    A class, because a generator-based context manager takes twice as long.
    """

    def __init__(self, driver: DriverConnection) -> None:
        self._driver = driver

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, TimeoutError):
            # A rollback on the connection would time out too.
            terminate(self._driver)
            raise UnavailableError("The database does not respond.") from error
        if isinstance(error, InternalServerError):
            # A type of a cached statement may have been dropped and created again.
            await self._driver.reload_schema_state()
        if isinstance(error, DRIVER_ERRORS):
            raise_translated(error)
