"""Translation of SQLAlchemy's errors to application errors."""

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from asyncpg.exceptions import InFailedSQLTransactionError, InvalidCachedStatementError
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.util import await_only

from app.db.errors import DRIVER_ERRORS, translate_driver_error
from app.db.guarded_connection import SuppressedError
from app.errors import AppError, RetryableError, UnavailableError

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")

#: Key in `Connection.info` of connections that must not return to the pool.
UNCLEAN = "unclean"


def handle_error(context: ExceptionContext) -> AppError | SuppressedError | None:
    """Return the error that SQLAlchemy raises instead, or None to keep its own.

    SQLAlchemy calls this function, a listener of the engine's event `handle_error`, for every error
    of a statement, a flush or a commit.
    """
    # By default, SQLAlchemy discards the whole pool after a disconnect. This is not needed, because
    # the pool checks each connection before use.
    context.invalidate_pool_on_disconnect = False
    error = original_error(context.original_exception)
    if isinstance(error, TimeoutError):
        # A rollback would time out too. After a disconnect, SQLAlchemy discards the connection
        # without one.
        context.is_disconnect = True
        return UnavailableError("The database does not respond.")
    if isinstance(error, InFailedSQLTransactionError) and _is_release(context):
        return _undo_savepoint(context)
    if isinstance(error, CancelledError) and _is_in_savepoint(context):
        # asyncpg cancels the statement on the server, so the rollback to the savepoint succeeds.
        # By default, SQLAlchemy discards the connection, and the transaction could not continue.
        context.is_disconnect = False
    _mark_if_unclean(context)
    translated = translate_driver_error(error)
    # These have a copy of the original message, which contains values.
    for wrapper in (context.original_exception, context.sqlalchemy_exception):
        if wrapper is not None and wrapper is not error:
            wrapper.args = (f"{type(error).__name__}: {error}",)
    return translated


def _is_in_savepoint(context: ExceptionContext) -> bool:
    """Return whether a statement between a savepoint and its end was interrupted."""
    is_ending = (context.statement or "").startswith("ROLLBACK TO SAVEPOINT")
    connection = context.connection
    return not is_ending and connection is not None and connection.in_nested_transaction()


def _is_release(context: ExceptionContext) -> bool:
    return (context.statement or "").startswith("RELEASE SAVEPOINT")


def _undo_savepoint(context: ExceptionContext) -> SuppressedError:
    """Roll back to the savepoint, which SQLAlchemy does not do after a failed RELEASE."""
    connection: Any = context.connection
    driver = connection.connection.driver_connection
    error: SuppressedError = await_only(driver.undo_savepoint(context.statement))
    return error


def _mark_if_unclean(context: ExceptionContext) -> None:
    """Keep a connection in autocommit mode from returning to the pool.

    asyncpg prepares a statement before it executes it. An error in between, such as a value of the
    wrong type, leaves an implicit transaction open, with its locks, which asyncpg does not report.
    In an explicit transaction, the rollback ends it.
    """
    connection = context.connection
    if connection is None or connection.closed or connection.invalidated:
        return
    dbapi_connection: Any = connection.connection.dbapi_connection
    if dbapi_connection.autocommit:
        connection.info[UNCLEAN] = True


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate errors of asyncpg in this block to application errors.

    Programming errors, such as invalid SQL, are raised unchanged.
    """
    try:
        yield
    except DRIVER_ERRORS as error:
        translated = translate_driver_error(error)
        if translated is None:
            raise
        raise translated from error


def repeat_if_outdated(read: Callable[[ArgumentT], ResultT], argument: ArgumentT) -> ResultT:
    """Return the result of a read. Repeat the read if a cached statement of it is outdated.

    This is the case after a change of the schema. SQLAlchemy has then emptied the caches of all
    connections. asyncpg would repeat only statements that it has cached itself.
    """
    try:
        return read(argument)
    except RetryableError as error:
        cause = error.__cause__
        if cause is None or not isinstance(original_error(cause), InvalidCachedStatementError):
            raise
    return read(argument)


def original_error(error: BaseException) -> BaseException:
    """Return the error of asyncpg that SQLAlchemy has wrapped, or `error` if it is not wrapped.

    SQLAlchemy wraps an error of asyncpg in an `EmulatedDBAPIException`, and that in a `DBAPIError`
    if a statement raised it.
    """
    # `DBAPIError.driver_exception` would do the same, but it fails for asyncpg's
    # `InvalidCachedStatementError`, whose wrapper has the original error only as its cause.
    wrapper = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(wrapper, EmulatedDBAPIException):
        wrapper = wrapper.__cause__
    return wrapper or error
