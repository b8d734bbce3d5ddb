"""Methods that run a statement and return its rows, the same for all objects that can run one."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.exc import ArgumentError, MultipleResultsFound

from app.db.base import Row
from app.errors import NotFoundError

#: Messages of the `RuntimeError` of a transaction.
TRANSACTION_ENDED = (
    "The transaction has ended. Work that outlives it, such as a background task, needs its own:"
    " use `database.run`."
)
CONCURRENT_STATEMENTS = (
    "A transaction runs one statement at a time: await each before the next, without"
    " `asyncio.gather`. Concurrent reads need readers, and concurrent writes several transactions."
)


def reject_empty(parameters: object) -> None:
    """Raise `ArgumentError` for an empty sequence of parameters.

    SQLAlchemy would execute the statement once, without values, as if it were None. It deprecates
    that.
    """
    if isinstance(parameters, list | tuple) and not parameters:
        raise ArgumentError("The sequence of parameters is empty, so there is nothing to execute")


class FetchMethods(ABC):
    """Base class of readers, writers and transactions. Subclasses implement `fetch_all`.

    `values` are the bound parameters of the statement. Define statements at module level, so that
    each is built and compiled only once.
    """

    @abstractmethod
    async def fetch_all(self, statement: Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement."""

    async def fetch_one(self, statement: Executable, /, **values: Any) -> Row:
        """Return the only row of a statement.

        Raises `NotFoundError` if there is no row, and `MultipleResultsFound` if there are several.
        """
        row = await self.fetch_one_or_none(statement, **values)
        if row is None:
            raise NotFoundError
        return row

    async def fetch_one_or_none(self, statement: Executable, /, **values: Any) -> Row | None:
        """Return the only row of a statement, or None if there is no row.

        Raises `MultipleResultsFound` if there are several.
        """
        rows = await self.fetch_all(statement, **values)
        if len(rows) > 1:
            raise MultipleResultsFound("Multiple rows were found when one or none was required")
        return rows[0] if rows else None
