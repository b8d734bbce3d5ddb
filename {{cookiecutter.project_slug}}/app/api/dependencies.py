"""FastAPI dependencies: the database, the transaction of a request, and repositories."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.db import Database, Transaction

RepositoryT = TypeVar("RepositoryT")


async def get_database(connection: HTTPConnection) -> Database:
    """Return the database that the application opened at startup."""
    database: Database = connection.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]


async def get_transaction(connection: HTTPConnection) -> AsyncIterator[Transaction]:
    """Open one transaction for the whole request."""
    # Called directly: each level of dependencies costs as much CPU time as a small query.
    database = await get_database(connection)
    async with database.transaction() as transaction:
        yield transaction


# The function scope ends before the response is sent, so a failed commit is an error response.
# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
TransactionDep = Annotated[Transaction, Depends(get_transaction, scope="function")]


def reader(
    repository: Callable[[Database], RepositoryT],
) -> Callable[..., Awaitable[RepositoryT]]:
    """Return a dependency that provides the repository for reading."""

    async def get_reader(connection: HTTPConnection) -> RepositoryT:
        return repository(await get_database(connection))

    return get_reader


def writer(
    repository: Callable[[Transaction], RepositoryT],
) -> Callable[..., Awaitable[RepositoryT]]:
    """Return a dependency that provides the repository in the transaction of the request."""

    async def get_writer(transaction: TransactionDep) -> RepositoryT:
        return repository(transaction)

    return get_writer
