"""What PostgreSQL says, in terms of this service.

One table for everything that runs a statement.
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from asyncpg import InterfaceError, InternalClientError, PostgresError
from asyncpg.exceptions import InvalidCachedStatementError
from sqlalchemy import Index, UniqueConstraint

from app.db.base import metadata
from app.errors import (
    AlreadyExistsError,
    AppError,
    ConflictError,
    RetryableError,
    UnavailableError,
    UnprocessableError,
)

#: What the driver raises: for a statement the server's errors, and its own.
DRIVER_ERRORS = (PostgresError, InterfaceError, InternalClientError)

# Serialisation failure, deadlock.
_RETRYABLE = {"40001", "40P01"}

# States, and classes of states by their first two characters, after which nothing is stored and
# the same request may succeed later: connection lost (at a commit, that may hide a success),
# transaction rolled back, out of resources, shutting down, statement or lock timeout.
_UNAVAILABLE = {"08", "40", "53", "57", "55P03", "25P03"}


def translate_driver_error(error: BaseException) -> AppError | None:
    """The application's error for one of asyncpg; None for a defect of this program."""
    state: str = getattr(error, "sqlstate", None) or ""
    if state == "23505":
        return AlreadyExistsError(_unique_field(error))
    if state in {"23001", "23503"}:
        return ConflictError("Something that this refers to is missing, or still refers to it.")
    if state in {"23502", "23514"} or state.startswith("22"):
        return UnprocessableError("The database refused a value.")
    if state in _RETRYABLE or isinstance(error, InvalidCachedStatementError):
        return RetryableError("Another change came first.")
    if state == "25006":
        # The server is a standby, or a reader executed a statement that writes.
        return UnavailableError("The database allows only a read-only transaction now.")
    if state in _UNAVAILABLE or state[:2] in _UNAVAILABLE or _is_closed(error):
        return UnavailableError("The database could not do this now.")
    return None


def _is_closed(error: BaseException) -> bool:
    # The driver has no type for a connection that broke while it was in use: it is closed, and the
    # pool has taken it back, or the server's last word is read and the end of the stream is not.
    text = str(error)
    if isinstance(error, InternalClientError):
        return "cannot switch to state" in text
    return isinstance(error, InterfaceError) and ("closed" in text or "released" in text)


def _unique_field(error: BaseException) -> str | None:
    table = metadata.tables.get(getattr(error, "table_name", None) or "")
    if table is None:
        return None
    name = getattr(error, "constraint_name", None)
    for rule in (*table.constraints, *table.indexes):
        if isinstance(rule, UniqueConstraint | Index) and rule.name == name:
            columns = [column.name for column in rule.columns]
            return columns[0] if len(columns) == 1 else None
    return None
