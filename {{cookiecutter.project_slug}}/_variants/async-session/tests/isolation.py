"""Rollback isolation, and a writer for tests.

https://docs.sqlalchemy.org/en/21/orm/session_transaction.html#joining-a-session-into-an-external-transaction-such-as-for-test-suites
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Database, Transaction
from app.db.base import Base, CreatedAtMixin, UuidPrimaryKeyMixin
from app.db.repositories.base import Writer

T = TypeVar("T")


# Separate metadata, so that the table does not count as a model without a migration.
things_metadata = MetaData()


class _ThingBase(Base):
    __abstract__ = True
    metadata = things_metadata


class Thing(UuidPrimaryKeyMixin, CreatedAtMixin, _ThingBase):
    """A row of a table that only tests create."""

    __tablename__ = "things_of_tests"

    name: Mapped[str] = mapped_column(unique=True)
    note: Mapped[str | None]


class ThingWriter(Writer):
    """Creates, updates and deletes things."""

    model = Thing


class _IsolatedDatabase(Database):
    """Database on one connection, on which a commit only releases a savepoint."""

    _is_open = True

    def __init__(self, connection: AsyncConnection) -> None:
        # Does not call `super().__init__`, which would create an engine.
        self._connection = connection
        self._session_factory = async_sessionmaker(
            connection,
            class_=Transaction,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        yield self._connection

    # Their own transactions would end that of the test.
    search = _streaming_connection = connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._connection.run_sync(work)


@asynccontextmanager
async def isolated(database: Database) -> AsyncIterator[Database]:
    """Yield a database whose changes, even committed ones, are rolled back at the end."""
    async with database._engine.connect() as connection:
        outer = await connection.begin()
        yield _IsolatedDatabase(connection)
        await outer.rollback()
