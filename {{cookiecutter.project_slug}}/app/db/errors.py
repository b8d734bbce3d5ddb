"""Translation of driver errors to application errors, by SQLSTATE.

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

#: Exceptions of asyncpg when it runs a statement: errors of the server, and its own.
DRIVER_ERRORS = (PostgresError, InterfaceError, InternalClientError)

_UNIQUE_VIOLATION = "23505"
# RESTRICT and foreign-key violations.
_REFERENCE_VIOLATIONS = {"23001", "23503"}
# NOT NULL and CHECK violations, and (class 22) values that the type cannot hold.
_INVALID_VALUES = {"23502", "23514", "22"}
# Serialization failure and deadlock.
_RETRYABLE = {"40001", "40P01"}
_READ_ONLY_TRANSACTION = "25006"
# Errors after which nothing is stored and the same request may succeed later: connection lost
# (during a commit, the data may be stored after all), transaction rolled back, out of resources,
# shutting down, lock timeout and idle-in-transaction timeout. A statement timeout is in class 57.
_UNAVAILABLE = {"08", "40", "53", "57", "55P03", "25P03"}


def translate_driver_error(error: BaseException) -> AppError | None:
    """Return the application error for an asyncpg error, or None for a programming error."""
    state: str = getattr(error, "sqlstate", None) or ""
    # The state, and its class.
    codes = {state, state[:2]}
    if state == _UNIQUE_VIOLATION:
        return AlreadyExistsError(_unique_field(error))
    if state in _REFERENCE_VIOLATIONS:
        return ConflictError("A referenced resource does not exist or is still in use.")
    if codes & _INVALID_VALUES:
        return UnprocessableError("A value violates a database constraint.")
    if state in _RETRYABLE or isinstance(error, InvalidCachedStatementError):
        return RetryableError("The transaction conflicted with another one; please retry.")
    if state == _READ_ONLY_TRANSACTION:
        # The server is a standby, or a reader has executed a statement that writes.
        return UnavailableError("The database only allows read-only transactions at the moment.")
    if codes & _UNAVAILABLE or _is_closed(error):
        return UnavailableError("The database is temporarily unavailable.")
    return None


def _is_closed(error: BaseException) -> bool:
    """Return whether the connection broke while it was in use, for which asyncpg has no type."""
    text = str(error)
    if isinstance(error, InternalClientError):
        # The server's last message was read, but not yet the end of the stream.
        return "cannot switch to state" in text
    # "closed" by the server, or "released" because the pool has removed it.
    return isinstance(error, InterfaceError) and ("closed" in text or "released" in text)


def _unique_field(error: BaseException) -> str | None:
    """Return the column of the violated unique constraint or index, if it has only one."""
    table = metadata.tables.get(getattr(error, "table_name", None) or "")
    if table is None:
        return None
    name = getattr(error, "constraint_name", None)
    for rule in (*table.constraints, *table.indexes):
        if isinstance(rule, UniqueConstraint | Index) and rule.name == name:
            columns = [column.name for column in rule.columns]
            return columns[0] if len(columns) == 1 else None
    return None
