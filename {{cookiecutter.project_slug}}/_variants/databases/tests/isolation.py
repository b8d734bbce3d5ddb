"""What the tests need of this database layer: isolation, and a table that is not the service's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from databases.core import Connection
from sqlalchemy import Column, MetaData, Table, Text

from app.db import Database
from app.db.base import created_at_column, uuid_primary_key
from app.db.pool import Pool
from app.db.repositories.base import Writer

#: Where the seconds are that closing may take.
CLOSE_TIMEOUT = "app.db.pool._CLOSE_TIMEOUT"

things = Table(
    "things_of_tests",
    MetaData(),
    uuid_primary_key(),
    Column("name", Text, nullable=False),
    Column("note", Text),
    created_at_column(),
)


class ThingWriter(Writer):
    """Changes to the table that `test_repositories` makes."""

    table = things


class _OneConnection(Pool):
    """Begins and commits as ever, but savepoints of the one transaction around them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        yield self._connection


class _IsolatedDatabase(Database):
    # The search's own BEGIN and COMMIT would end the transaction of the test.
    search = Database.connection


@asynccontextmanager
async def isolated(database: Database) -> AsyncIterator[Database]:
    """Yield a database like `database`, from which everything is gone afterwards."""
    async with database._pool.acquire() as connection:
        outer = connection.raw_connection.transaction()
        await outer.start()
        copy = _IsolatedDatabase(database._settings)
        copy._pool = _OneConnection(connection)
        yield copy
        await outer.rollback()
