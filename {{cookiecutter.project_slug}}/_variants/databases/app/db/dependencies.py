"""What a route may ask for: the database to read from, or a unit of work to write in."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.db.database import Database, Transaction


async def get_database(connection: HTTPConnection) -> Database:
    """The database that the application opened when it started."""
    database: Database = connection.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]


async def get_transaction(connection: HTTPConnection) -> AsyncIterator[Transaction]:
    """One transaction for the whole request."""
    # Called, not depended on: every level of dependencies costs as much as a small query.
    database = await get_database(connection)
    async with database.transaction() as transaction:
        yield transaction


# The scope ends before the response is sent, so that a commit that fails is not answered "created".
# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
TransactionDep = Annotated[Transaction, Depends(get_transaction, scope="function")]
