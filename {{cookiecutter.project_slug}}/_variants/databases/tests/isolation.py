"""Rollback isolation, and a writer for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Column, MetaData, Table, Text

from app.db import Database
from app.db.base import created_at_column, uuid_primary_key
from app.db.driver import DriverConnection
from app.db.pool import Pool
from app.db.repositories.base import Writer
from app.settings import DatabaseSettings

# Separate metadata, so that the table does not count as a model without a migration.
things_metadata = MetaData()
things = Table(
    "things_of_tests",
    things_metadata,
    uuid_primary_key(),
    Column("name", Text, nullable=False, unique=True),
    Column("note", Text),
    created_at_column(),
)


class ThingWriter(Writer):
    """Creates, updates and deletes rows of a table that only tests create."""

    table = things


class _SingleConnectionPool(Pool):
    """Pool of one connection, on which a commit only releases a savepoint."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[DriverConnection]:
        yield self._connection


class _IsolatedDatabase(Database):
    """Database whose transactions all use the same connection."""

    _is_open = True

    def __init__(self, settings: DatabaseSettings, connection: DriverConnection) -> None:
        super().__init__(settings)
        self._pool = _SingleConnectionPool(connection)

    # The BEGIN and COMMIT of a real search would end the transaction of the test.
    search = Database.connection


@asynccontextmanager
async def isolated(database: Database) -> AsyncIterator[Database]:
    """Yield a database whose changes, even committed ones, are rolled back at the end."""
    async with database._pool.acquire() as connection:
        outer = connection.transaction()
        await outer.start()
        yield _IsolatedDatabase(database._settings, connection)
        await outer.rollback()
