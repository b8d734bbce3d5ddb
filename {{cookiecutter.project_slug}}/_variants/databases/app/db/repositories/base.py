"""Base classes of the repositories: a reader for responses, and a writer for changes.

Reading and writing are different types, so that the signature of a route says which it does, and a
read costs one round trip instead of the three of a transaction.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, delete, insert, select, update
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.dml import ReturningInsert

from app.db.base import Row
from app.db.database import Database, Transaction, fetch_rows
from app.db.search import returned_columns
from app.errors import NotFoundError


class Reader:
    """Read-only repository.

    Each query borrows its own connection and is its own transaction, so one reader can run several
    queries at the same time with `asyncio.gather`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch_all(self, statement: ClauseElement, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement. `values` are its bound parameters.

        Define statements at module level: each is then built and compiled only once. A list for IN
        is part of the statement, not a value.
        """
        async with self._database.connection() as connection:
            return await fetch_rows(connection, statement, values)

    async def fetch_one(self, statement: ClauseElement, **values: Any) -> Row:
        """Return the only row of a statement. Raises `NotFoundError` if there is none."""
        rows = await self.fetch_all(statement, **values)
        return _require_row(rows[0] if rows else None)

    async def search(self, statement: ClauseElement, **values: Any) -> Sequence[Row]:
        """Return all rows of a full-text search.

        Raises `UnavailableError` if it takes longer than `DB_SEARCH_TIMEOUT`, or if too many
        searches are running.
        """
        async with self._database.search() as connection:
            return await fetch_rows(connection, statement, values)


class Writer:
    """Repository that changes one table, in a transaction that its caller commits."""

    table: ClassVar[Table]

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, key: UUID | int) -> Row:
        """Return the row with this primary key. Raises `NotFoundError` if it does not exist."""
        statement = select(*returned_columns(self.table)).where(self._matches(key))
        return _require_row(await self._transaction.fetch_one(statement))

    async def create(self, **values: Any) -> Row:
        """Insert a row and return its columns, including those that the server generates."""
        statement = _insert(self.table, *values)
        return _require_row(await self._transaction.fetch_one(statement, **values))

    async def update(self, key: UUID | int, **values: Any) -> Row:
        """Update the given columns and return the row.

        Raises `NotFoundError` if it does not exist.
        """
        if not values:
            return await self.get(key)
        statement = update(self.table).where(self._matches(key)).values(**values)
        returning = statement.returning(*returned_columns(self.table))
        return _require_row(await self._transaction.fetch_one(returning))

    async def delete(self, key: UUID | int) -> None:
        """Delete the row. Raises `NotFoundError` if it does not exist."""
        statement = delete(self.table).where(self._matches(key)).returning(self.table.c.id)
        _require_row(await self._transaction.fetch_one(statement))

    def _matches(self, key: UUID | int) -> ColumnElement[bool]:
        """Return the condition that selects the row; subclasses can restrict it further."""
        return self.table.c.id == key


@cache
def _insert(table: Table, *names: str) -> ReturningInsert[*tuple[Any, ...]]:
    statement = insert(table).values({name: bindparam(name) for name in names})
    return statement.returning(*returned_columns(table))


def _require_row(row: Row | None) -> Row:
    if row is None:
        raise NotFoundError
    return row
