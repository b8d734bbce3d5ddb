"""Base classes of the repositories.

`Reader` runs single read-only queries; `Writer` changes rows inside a transaction. They are
separate so that a route's signature shows that it only reads. A read is also cheaper: one round
trip in autocommit mode, against three with BEGIN and COMMIT.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningInsert

from app.db.base import Row
from app.db.database import Database
from app.db.search import columns_without_search_vector
from app.db.statements import FetchMethods
from app.db.transaction import Transaction


class Reader(FetchMethods):
    """Base class of the repositories that read.

    Each query borrows its own connection and runs in autocommit mode. One reader can therefore run
    several queries at the same time with `asyncio.gather`. Searches, and all queries behind
    PgBouncer, run in READ ONLY transactions instead (see `app.db.database`).
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch_all(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement."""
        async with self._database.connection() as connection:
            return await connection.fetch_all(statement, **values)

    async def search(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a full-text search. `values` are its bound parameters.

        Raises `UnavailableError` if the search takes longer than `DB_SEARCH_TIMEOUT`, or if too
        many searches are running.
        """
        async with self._database.search() as connection:
            return await connection.fetch_all(statement, **values)


class Writer:
    """Base class of the repositories that change a table, in a transaction.

    The caller commits the transaction. The primary key of the table is its column `id`.

    Override `_row_condition` to restrict the rows, for example to those of one user. `get`,
    `update` and `delete` use the condition. `create` ignores it, so set the owner column yourself.
    """

    table: ClassVar[sa.Table]

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, key: UUID | int) -> Row:
        """Return the row with this primary key, without locking it.

        Raises `NotFoundError` if the row does not exist.
        """
        columns = columns_without_search_vector(self.table)
        statement = sa.select(*columns).where(self._row_condition(key))
        return await self._transaction.fetch_one(statement)

    async def create(self, **values: Any) -> Row:
        """Insert a row and return its columns, including those that the server generates.

        Plain values only: the cached statement sends each one as a bound parameter. Raises
        `AlreadyExistsError` if a unique constraint is violated.
        """
        statement = _insert(self.table, *values.keys())
        return await self._transaction.fetch_one(statement, **values)

    async def update(self, key: UUID | int, /, **values: Any) -> Row:
        """Update the given columns of the row with this primary key, and return the row.

        Without values, returns the row unchanged.

        Raises `NotFoundError` if the row does not exist.
        """
        if not values:
            return await self.get(key)
        # Built for each call, unlike INSERT, because a value may be an SQL expression.
        statement = sa.update(self.table).where(self._row_condition(key)).values(**values)
        columns = columns_without_search_vector(self.table)
        return await self._transaction.fetch_one(statement.returning(*columns))

    async def delete(self, key: UUID | int) -> None:
        """Delete the row with this primary key.

        Raises `NotFoundError` if the row does not exist.
        """
        statement = sa.delete(self.table).where(self._row_condition(key)).returning(self.table.c.id)
        await self._transaction.fetch_one(statement)

    def _row_condition(self, key: UUID | int) -> sa.ColumnElement[bool]:
        """Return the condition that selects the row in `get`, `update` and `delete`.

        A subclass can restrict the condition, for example to the rows of one user:
        `return super()._row_condition(key) & (notes.c.owner_id == self._owner_id)`.
        """
        return self.table.c.id == key


@cache
def _insert(table: sa.Table, *names: str) -> ReturningInsert[*tuple[Any, ...]]:
    """Return an INSERT of these columns, which is cached so that it is compiled only once.

    The cache has one entry per table and tuple of column names.

    The search vector is not returned, because it is about as large as the text of the row.
    """
    statement = sa.insert(table).values({name: sa.bindparam(name) for name in names})
    return statement.returning(*columns_without_search_vector(table))
