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

#: Exceptions of asyncpg when it runs a statement: errors of the server, and errors of asyncpg.
DRIVER_ERRORS = (PostgresError, InterfaceError, InternalClientError)

_UNIQUE_VIOLATION = "23505"
# RESTRICT and foreign-key violations.
_REFERENCE_VIOLATIONS = {"23001", "23503"}
# NOT NULL and CHECK violations, and (class 22) values that the type cannot hold.
_INVALID_VALUES = {"23502", "23514", "22"}
# Serialization failure and deadlock.
_RETRYABLE = {"40001", "40P01"}
_READ_ONLY_TRANSACTION = "25006"
# Errors after which the same request may succeed later. Nothing is stored, except that the data may
# be stored if the connection is lost during a commit.
_UNAVAILABLE = {
    "08",  # Connection lost.
    "40",  # Transaction rolled back.
    "53",  # Out of resources, such as connections.
    "57",  # Shutdown of the server, or statement timeout.
    "55P03",  # Lock timeout.
    "25P03",  # Idle-in-transaction timeout.
}


def translate_driver_error(error: BaseException) -> AppError | None:
    """Return the application error for an asyncpg error, or None for a programming error."""
    state: str = getattr(error, "sqlstate", None) or ""
    # The SQLSTATE, and its class, which is the first two characters.
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
        # The server is a standby, or a reader has run a statement that writes.
        return UnavailableError("The database currently allows only read-only transactions.")
    if codes & _UNAVAILABLE or _is_closed(error):
        return UnavailableError("The database is temporarily unavailable.")
    return None


def _is_closed(error: BaseException) -> bool:
    """Return whether the connection broke while it was in use.

    asyncpg has no exception type for this, so the message decides. `tests/test_pool.py` covers it.
    """
    text = str(error)
    if isinstance(error, InternalClientError):
        # asyncpg had read the server's last message, but not yet the end of the stream.
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
