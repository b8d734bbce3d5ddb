"""What the tests need of this database layer: isolation, and a table that is not the service's.

https://docs.sqlalchemy.org/en/21/orm/session_transaction.html#joining-a-session-into-an-external-transaction-such-as-for-test-suites
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, MetaData, event
from sqlalchemy.ext.asyncio import AsyncConnection, async_sessionmaker
from sqlalchemy.orm import Mapped, Mapper

from app.db import Database
from app.db.base import Base, CreatedAtMixin, UuidPrimaryKeyMixin
from app.db.repositories.base import Writer

T = TypeVar("T")


@event.listens_for(Mapper, "mapper_configured")
def _is_loaded_on_demand(mapper: Mapper[Any], _: type) -> None:
    # A relationship that loads itself needs an await where Python allows none.
    for relationship in mapper.relationships:
        if relationship.lazy != "raise":
            raise TypeError(f'{relationship} is to be lazy="raise"')


#: Where the seconds are that closing may take.
CLOSE_TIMEOUT = "app.db.database._CLOSE_TIMEOUT"


class _ThingBase(Base):
    __abstract__ = True
    metadata = MetaData()


class Thing(UuidPrimaryKeyMixin, CreatedAtMixin, _ThingBase):
    """A row of the table that `test_repositories` makes."""

    __tablename__ = "things_of_tests"

    name: Mapped[str]
    note: Mapped[str | None]


class ThingWriter(Writer[Thing]):
    """Changes to things."""

    model = Thing


class _IsolatedDatabase(Database):
    """Commits as ever, to a savepoint; reads see what was written on the one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        # It needs no engine of its own.
        self._connection = connection
        self._sessions = async_sessionmaker(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        yield self._connection

    # The search's own BEGIN and COMMIT would end the transaction of the test.
    search = connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._connection.run_sync(work)

    def _check_open(self) -> None:
        pass


@asynccontextmanager
async def isolated(database: Database) -> AsyncIterator[Database]:
    """Yield a database like `database`, from which everything is gone afterwards."""
    async with database._engine.connect() as connection:
        outer = await connection.begin()
        yield _IsolatedDatabase(connection)
        await outer.rollback()
