"""What the repositories of all resources have in common."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Executable, Row, Table, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.db.base import Base
from app.db.database import Database
from app.db.search import returned_columns
from app.errors import NotFoundError

ModelT = TypeVar("ModelT", bound=Base)


class Reader:
    """Reads for responses: plain columns, each statement on a connection of its own.

    So a reader may run several statements at once, with `asyncio.gather`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch_all(self, statement: Executable, **values: Any) -> Sequence[Row[Any]]:
        """All rows of a statement, whose bound parameters are given by name."""
        return await self._database.read(lambda on: on.execute(statement, values).all())

    async def search(self, statement: Executable, **values: Any) -> Sequence[Row[Any]]:
        """Return all rows of a full-text search.

        Raises `UnavailableError` if it takes longer than `DB_SEARCH_TIMEOUT`, or if too many
        searches are running.
        """
        async with self._database.search() as connection:
            return (await connection.execute(statement, values)).all()

    async def fetch_one(self, statement: Executable, **values: Any) -> Row[Any]:
        """The row of a statement that has one; raises `NotFoundError` without."""
        row = await self._database.read(lambda on: on.execute(statement, values).one_or_none())
        if row is None:
            raise NotFoundError("There is no such resource.")
        return row


class Writer(Generic[ModelT]):
    """Changes to one model, in a transaction that ends with the request."""

    model: type[ModelT]

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, key: UUID | int) -> ModelT:
        """The entity with this key, which nobody else changes meanwhile.

        Raises `NotFoundError` without.
        """
        entity = await self._session.get(self.model, key, with_for_update=True)
        if entity is None:
            raise NotFoundError("There is no such resource.")
        return entity

    async def create(self, **values: Any) -> Row[Any]:
        """A new row, with what the server filled in.

        Columns, as responses need them: an entity takes the session twice as long.
        """
        result = await self._session.execute(_insert(self.model.__table__), values)
        return result.one()

    async def update(self, key: UUID | int, **values: Any) -> ModelT:
        """The row with some values changed; raises `NotFoundError` without."""
        entity = await self.get(key)
        for name, value in values.items():
            setattr(entity, name, value)
        await self._session.flush()
        # The result of an SQL expression does not come back with its statement.
        if unknown := inspect(entity).expired_attributes:
            await self._session.refresh(entity, unknown)
        return entity

    async def delete(self, key: UUID | int) -> None:
        """The row removed; raises `NotFoundError` without."""
        await self._session.delete(await self.get(key))
        await self._session.flush()


@cache
def _insert(table: Table) -> ReturningInsert[*tuple[Any, ...]]:
    return insert(table).returning(*returned_columns(table))
