"""Base classes of the repositories.

`Reader` runs single read-only queries; `Writer` changes rows inside a transaction. They are
separate so that a route's signature shows that it only reads. A read is also cheaper: one round
trip in autocommit mode, against three with BEGIN and COMMIT.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from app.db.base import Base, Row
from app.db.database import Database
from app.db.table_reader import TableReader
from app.db.table_statements import TableStatements
from app.db.table_writer import Key, Parameters, TableWriter
from app.db.transaction import Transaction


class Reader(TableReader):
    """Base class of the repositories that read. They select columns, not entities.

    Each query borrows its own connection and runs in autocommit mode. One reader can therefore run
    several queries at the same time with `asyncio.gather`. Searches, and all queries behind
    PgBouncer, run in READ ONLY transactions instead (see `app.db.database`).

    `scope` are parameters of the query of `rows`. In a repository of the notes of one user:

        def __init__(self, database: Database, owner_id: UUID) -> None:
            super().__init__(database, owner_id=owner_id)
    """

    def __init__(self, database: Database, **scope: Any) -> None:
        super().__init__(scope)
        self._database = database

    async def fetch_all(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a statement. `values` are its bound parameters.

        Define statements at module level, so that each is built only once. SQLAlchemy caches its
        SQL.
        """
        return await self._database.read(
            lambda connection: connection.execute(statement, values).all()
        )

    async def search(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a search, whose cost depends on the number of matches."""
        async with self._database.search() as connection:
            return (await connection.execute(statement, values)).all()


class Writer(TableWriter):
    """Base class of the repositories that change the rows of a model, in a transaction.

    `scope` restricts the rows, for example to those of one user. In a repository of notes:

        def __init__(self, transaction: Transaction, owner_id: UUID) -> None:
            super().__init__(transaction, owner_id=owner_id)

    The statements insert and update columns, which takes half the CPU time of adding an entity to
    the session. Entities of the model that the session has loaded get the values of the rows.
    """

    model: ClassVar[type[Base]]

    def __init__(self, transaction: Transaction, **scope: Any) -> None:
        super().__init__(transaction, _statements_of(self.model), scope)

    async def delete(self, key: Key) -> Row:
        """Delete the row with this primary key, and return it.

        Raises `NotFoundError` if the row does not exist.
        """
        row = await super().delete(key)
        if entity := self._loaded_entity(row):
            self._transaction.expunge(entity)
        return row

    async def _execute(
        self, statement: sa.Executable, parameters: Parameters | None = None
    ) -> Sequence[Row]:
        # The session itself updates entities only after statements with entities.
        rows = await super()._execute(statement, parameters)
        for row in rows:
            if entity := self._loaded_entity(row):
                for name, value in row._asdict().items():
                    set_committed_value(entity, name, value)
        return rows

    def _loaded_entity(self, row: Row) -> Base | None:
        """Return the entity of this row, if the session has loaded it."""
        loaded, mapper = self._transaction.identity_map, self.model.__mapper__
        if not loaded:
            return None
        values = row._asdict()
        names = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
        key = mapper.identity_key_from_primary_key(tuple(values[name] for name in names))
        return loaded.get(key)


@cache
def _statements_of(model: type[Base]) -> TableStatements:
    return TableStatements(model.__table__, model.__mapper__.columns.items())
