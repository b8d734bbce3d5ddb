"""What the repositories of all resources have in common."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, cast
from uuid import UUID

from databases.core import Connection
from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.dml import ReturningInsert

from app.db.base import Row, compile_query
from app.db.database import Database, Transaction
from app.db.search import returned_columns
from app.errors import NotFoundError


class Reader:
    """Reads for responses: each statement on a connection of its own.

    So a reader may run several statements at once, with `asyncio.gather`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch_all(self, statement: ClauseElement, **values: Any) -> Sequence[Row]:
        """All rows of a statement, whose bound parameters are given by name.

        A `select` that is made once, at module level, is also compiled once. A list for IN is
        part of the statement, not a value.
        """
        async with self._database.connection() as connection:
            return await _fetch(connection, statement, values)

    async def search(self, statement: ClauseElement, **values: Any) -> Sequence[Row]:
        """Return all rows of a full-text search.

        Raises `UnavailableError` if it takes longer than `DB_SEARCH_TIMEOUT`, or if too many
        searches are running.
        """
        async with self._database.search() as connection:
            return await _fetch(connection, statement, values)

    async def fetch_one(self, statement: ClauseElement, **values: Any) -> Row:
        """The only row of a statement; raises `NotFoundError` without."""
        rows = await self.fetch_all(statement, **values)
        if not rows:
            raise NotFoundError("There is no such resource.")
        return rows[0]


class Writer:
    """Changes to one table, in a transaction that ends with the request."""

    table: ClassVar[Table]

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, key: UUID | int) -> Row:
        """The row with this key; raises `NotFoundError` without."""
        statement = select(*returned_columns(self.table)).where(self._is(key))
        return _found(await self._transaction.fetch_one(statement))

    async def create(self, **values: Any) -> Row:
        """A new row, with what the server filled in."""
        statement = _insert(self.table, *values)
        return _found(await self._transaction.fetch_one(statement, **values))

    async def update(self, key: UUID | int, **values: Any) -> Row:
        """The row with some values changed; raises `NotFoundError` without."""
        if not values:
            return await self.get(key)
        statement = update(self.table).where(self._is(key)).values(**values)
        returning = statement.returning(*returned_columns(self.table))
        return _found(await self._transaction.fetch_one(returning))

    async def delete(self, key: UUID | int) -> None:
        """The row removed; raises `NotFoundError` without."""
        statement = delete(self.table).where(self._is(key)).returning(self.table.c.id)
        _found(await self._transaction.fetch_one(statement))

    def _is(self, key: UUID | int) -> ColumnElement[bool]:
        return self.table.c.id == key


async def _fetch(
    connection: Connection, statement: ClauseElement, values: dict[str, Any]
) -> Sequence[Row]:
    prepared = compile_query(statement) if isinstance(statement, Select) else None
    if prepared is None:
        bound = statement.params(values) if values else statement
        return cast("list[Row]", await connection.fetch_all(bound))
    raw = connection.raw_connection
    rows: list[Row] = await raw.fetch(prepared.sql, *prepared.arguments(values))
    return rows


@cache
def _insert(table: Table, *names: str) -> ReturningInsert[*tuple[Any, ...]]:
    statement = insert(table).values({name: bindparam(name) for name in names})
    return statement.returning(*returned_columns(table))


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFoundError("There is no such resource.")
    return row
