"""Base classes of the repositories.

`Reader` runs single read-only queries; `Writer` changes rows inside a transaction. They are
separate so that a route's signature shows that it only reads. A read is also cheaper: one round
trip in autocommit mode, against three with BEGIN and COMMIT.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import sqlalchemy as sa

from app.db.base import Row
from app.db.database import Database
from app.db.table_reader import TableReader
from app.db.table_statements import TableStatements
from app.db.table_writer import TableWriter
from app.db.transaction import Transaction


class Reader(TableReader):
    """Base class of the repositories that read.

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
        """Return all rows of a statement."""
        async with self._database.connection() as connection:
            return await connection.fetch_all(statement, **values)

    async def search(self, statement: sa.Executable, /, **values: Any) -> Sequence[Row]:
        """Return all rows of a search, whose cost depends on the number of matches."""
        async with self._database.search() as connection:
            return await connection.fetch_all(statement, **values)


class Writer(TableWriter):
    """Base class of the repositories that change a table, in a transaction.

    `scope` restricts the rows, for example to those of one user. In a repository of notes:

        def __init__(self, transaction: Transaction, owner_id: UUID) -> None:
            super().__init__(transaction, owner_id=owner_id)
    """

    table: ClassVar[sa.Table]

    def __init__(self, transaction: Transaction, **scope: Any) -> None:
        super().__init__(transaction, _statements_of(self.table), scope)


@cache
def _statements_of(table: sa.Table) -> TableStatements:
    return TableStatements(table, table.columns.items())
