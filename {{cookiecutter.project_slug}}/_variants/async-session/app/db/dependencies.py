"""What a route may ask for: the database to read from, or a unit of work to write in."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.database import Database


async def get_database(connection: HTTPConnection) -> Database:
    """The database that the application opened when it started."""
    database: Database = connection.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]


async def get_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """One transaction for the whole request."""
    # Called, not depended on: every level of dependencies costs as much as a small query.
    database = await get_database(connection)
    async with database.transaction() as session:
        yield session


# The scope ends before the response is sent, so that a commit that fails is not answered "created".
# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
TransactionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
