"""What the tests need of this database layer: isolation, and a table that is not the service's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from databases.core import Connection
from sqlalchemy import Column, MetaData, Table, Text

from app.db import Database
from app.db.base import created_at, uuid_key
from app.db.repositories.base import Writer

things = Table(
    "things",
    MetaData(),
    uuid_key(),
    Column("name", Text, nullable=False),
    Column("note", Text),
    created_at(),
)


class ThingWriter(Writer):
    """Changes to the table that `test_repositories` makes."""

    table = things


class _IsolatedDatabase(Database):
    """Commits as ever, to a savepoint; reads see what was written on the one connection."""

    def __init__(self, database: Database, connection: Connection) -> None:
        super().__init__(database._settings)
        self._connection = connection

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Connection]:
        yield self._connection


@asynccontextmanager
async def isolated(database: Database) -> AsyncIterator[Database]:
    """Yield a database like `database`, from which everything is gone afterwards."""
    async with database._acquire() as connection:
        outer = connection.raw_connection.transaction()
        await outer.start()
        yield _IsolatedDatabase(database, connection)
        await outer.rollback()
