"""FastAPI dependencies: the database, the transaction of a request, and repositories.

`Depends(provide_reader(ArticleReader))` provides a repository that reads, and
`Depends(provide_writer(ArticleWriter))` one that writes. All writers of a request share its
transaction, which commits when the route function has returned, before the response is sent.
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
    """Open the transaction of the request; commit it, or roll it back after an exception."""
    # Called, not injected: each level of FastAPI dependencies costs about 45 µs of CPU time.
    database = await get_database(connection)
    async with database.transaction() as transaction:
        yield transaction


# With the scope "function", the code after `yield` runs before the response is sent, so a failed
# commit becomes an error response.
# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
TransactionDep = Annotated[Transaction, Depends(get_transaction, scope="function")]


def provide_reader(
    repository: Callable[[Database], RepositoryT],
) -> Callable[..., Awaitable[RepositoryT]]:
    """Return a dependency that creates the repository on the database."""

    async def get_reader(connection: HTTPConnection) -> RepositoryT:
        return repository(await get_database(connection))

    return get_reader


def provide_writer(
    repository: Callable[[Transaction], RepositoryT],
) -> Callable[..., Awaitable[RepositoryT]]:
    """Return a dependency that creates the repository in the transaction of the request."""

    async def get_writer(transaction: TransactionDep) -> RepositoryT:
        return repository(transaction)

    return get_writer
