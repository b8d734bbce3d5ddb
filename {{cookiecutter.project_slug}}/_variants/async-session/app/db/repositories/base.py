"""Base classes of the repositories.

`Reader` runs single read-only queries; `Writer` changes rows inside a transaction. They are
separate so that a route's signature shows that it only reads. A read is also cheaper: one round
trip in autocommit mode, against three with BEGIN and COMMIT.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.db.base import Base, Row
from app.db.database import Database
from app.db.search import columns_without_search_vector
from app.errors import NotFoundError

ModelT = TypeVar("ModelT", bound=Base)


class Reader:
    """Base class of the repositories that read. They select columns, not entities.

    Each query borrows its own connection and runs in autocommit mode. One reader can therefore run
    several queries at the same time with `asyncio.gather`. Searches, and all queries behind
    PgBouncer, run in READ ONLY transactions instead (see `app.db.database`).
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch_all(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement. `values` are its bound parameters.

        Define statements at module level, so that each is built only once. SQLAlchemy caches its
        SQL.
        """
        return await self._database.read(
            lambda connection: connection.execute(statement, values).all()
        )

    async def fetch_one(self, statement: sa.Executable, /, **values: Any) -> Row:
        """Return the only row of a statement. `values` are its bound parameters.

        Raises `NotFoundError` if there is no row, and `MultipleResultsFound` if there are several.
        """
        row = await self._database.read(
            lambda connection: connection.execute(statement, values).one_or_none()
        )
        if row is None:
            raise NotFoundError
        return row

    async def search(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a full-text search. `values` are its bound parameters.

        Raises `UnavailableError` if the search takes longer than `DB_SEARCH_TIMEOUT`, or if too
        many searches are running.
        """
        async with self._database.search() as connection:
            return (await connection.execute(statement, values)).all()


class Writer(Generic[ModelT]):
    """Base class of the repositories that change the rows of a model, in a transaction.

    The caller commits the transaction.

    Override `get` to restrict the rows, for example to those of one user. `update` and `delete`
    call `get`. `create` ignores it, so set the owner column yourself.
    """

    model: type[ModelT]

    def __init__(self, session: AsyncSession) -> None:
        self._transaction = session

    async def get(self, key: UUID | int) -> ModelT:
        """Return the entity with this primary key, and lock its row (`FOR UPDATE`).

        Raises `NotFoundError` if the row does not exist.
        """
        entity = await self._transaction.get(self.model, key, with_for_update=True)
        if entity is None:
            raise NotFoundError
        return entity

    async def create(self, **values: Any) -> Row:
        """Insert a row and return its columns, including those that the server generates.

        Plain values only: the cached statement sends each one as a bound parameter. A violated
        unique constraint raises an error of the driver, which `Database.transaction` translates to
        `AlreadyExistsError`.

        An INSERT of columns takes half the CPU time of adding an entity to the session.
        """
        result = await self._transaction.execute(_insert(self.model.__table__), values)
        return result.one()

    async def update(self, key: UUID | int, /, **values: Any) -> ModelT:
        """Update the given columns of the entity with this primary key, and return the entity.

        Without values, returns the entity unchanged.

        Raises `NotFoundError` if the row does not exist.
        """
        entity = await self.get(key)
        for name, value in values.items():
            setattr(entity, name, value)
        await self._transaction.flush()
        # UPDATE does not return the result of an SQL expression, such as `func.upper(...)`.
        if unknown := sa.inspect(entity).expired_attributes:
            await self._transaction.refresh(entity, unknown)
        return entity

    async def delete(self, key: UUID | int) -> None:
        """Delete the row with this primary key.

        Raises `NotFoundError` if the row does not exist.
        """
        await self._transaction.delete(await self.get(key))
        await self._transaction.flush()


@cache
def _insert(table: sa.Table) -> ReturningInsert[*tuple[Any, ...]]:
    """Return an INSERT into this table, which is cached so that it is built only once.

    The cache has one entry per table.

    The search vector is not returned, because it is about as large as the text of the row.
    """
    return sa.insert(table).returning(*columns_without_search_vector(table))
