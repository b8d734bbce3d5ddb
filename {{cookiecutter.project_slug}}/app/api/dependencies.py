"""FastAPI dependencies: the database, the transaction of a request, and repositories.

`reader(ArticleReader)` provides a repository that reads, and `writer(ArticleWriter)` one that
writes. All writers of a request share its transaction.
"""

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
    """Open the transaction of the request, and commit it before the response is sent."""
    # Called directly: each level of FastAPI dependencies costs about 45 µs of CPU time.
    database = await get_database(connection)
    async with database.transaction() as transaction:
        yield transaction


# A dependency with function scope ends before the response is sent, so a failed commit is an error
# response. https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
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
