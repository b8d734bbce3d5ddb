"""Translation of asyncpg's errors, which `databases` does not wrap, to application errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.db.errors import DRIVER_ERRORS, translate_driver_error


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate errors of the driver in this block to application errors.

    Programming errors, such as invalid SQL, are raised unchanged.
    """
    try:
        yield
    except DRIVER_ERRORS as error:
        raise_translated(error)
        raise


def raise_translated(error: BaseException) -> None:
    """Raise the application error for an error of the driver. Return for a programming error."""
    translated = translate_driver_error(error)
    if translated is not None:
        raise translated from error
