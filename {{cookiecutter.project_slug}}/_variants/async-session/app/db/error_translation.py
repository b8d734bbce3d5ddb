"""Translation of SQLAlchemy's errors to application errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException

from app.db.errors import DRIVER_ERRORS, translate_driver_error


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate errors of the driver in this block to application errors.

    Programming errors, such as invalid SQL, are raised unchanged.
    """
    try:
        yield
    except (DBAPIError, *DRIVER_ERRORS) as error:
        translated = translate_driver_error(original_error(error))
        if translated is None:
            raise
        raise translated from error


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
