"""A database on which nothing lasts: one connection, in a transaction that is rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from databases.core import Connection

from app.db import Database


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
