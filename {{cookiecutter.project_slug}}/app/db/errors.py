"""Translation of driver errors to application errors, by SQLSTATE.

Only errors that a client can cause, or that pass by themselves, are translated. All others are
defects of the program: they pass unchanged, so the response is 500 and the log has a traceback.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from asyncpg import InterfaceError, InternalClientError, PostgresError
from asyncpg.exceptions import DataError, InvalidCachedStatementError

from app.db.constraint_errors import reference_error, unique_field
from app.db.guarded_connection import StandbyError
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
_EXCLUSION_VIOLATION = "23P01"
# RESTRICT and foreign-key violations.
_REFERENCE_VIOLATIONS = {"23001", "23503"}
# Errors that depend on a value and not only on the statement. A schema cannot rule them out: it
# does not know the constraint, the type of the column or what the type can hold.
#
# The other codes of the classes 22 (data) and 23 (integrity), and all of 42 (syntax, names and
# types), depend on the statement: division by zero (22012), a negative LIMIT (2201W), a parameter
# of a function (22023), NULL in a column that is NOT NULL (23502), a missing column (42703).
_INVALID_VALUES = {
    "22000",  # A range whose lower bound is greater than the upper bound.
    "22001",  # String too long.
    "22003",  # Number out of range.
    "22007",  # Text that is not a date or time.
    "22008",  # Date or time out of range.
    "22009",  # Time zone displacement out of range.
    "22015",  # Interval out of range.
    "22021",  # Character that is not in the encoding, such as NUL.
    "22025",  # LIKE pattern that ends with the escape character.
    "2201B",  # Regular expression that is not valid.
    "22030",  # JSON object with a duplicate key, where keys must be unique.
    "22032",  # Text that is not JSON.
    "2200M",  # Text that is not an XML document.
    "2200N",  # Text that is not XML content.
    "22P02",  # Text that the type does not have, such as an unknown label of an enum.
    "22P05",  # Character that has no equivalent, such as \u0000 in jsonb.
    "23514",  # CHECK constraint.
    "44000",  # CHECK OPTION of a view.
    "54000",  # Value too large, such as for an index or for a search vector.
}
# Serialization failure and deadlock.
_RETRYABLE = {"40001", "40P01"}
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
    """Return the application error for an asyncpg error, or None for a programming error.

    Removes values from the message of `error`, because a programming error is logged.
    """
    translated = _translate(error)
    _hide_values(error)
    return translated


def _translate(error: BaseException) -> AppError | None:
    state: str = getattr(error, "sqlstate", None) or ""
    if state == _UNIQUE_VIOLATION:
        return AlreadyExistsError(unique_field(error))
    if state == _EXCLUSION_VIOLATION:
        return ConflictError("The values conflict with those of an existing row.")
    if state in _REFERENCE_VIOLATIONS:
        return reference_error(error)
    if _is_invalid_value(error):
        # The database does not tell whether the value is from the body, the path or the query.
        detail = "The database cannot store a value, or a constraint rejects it."
        return UnprocessableError(detail, loc=())
    if state in _RETRYABLE or isinstance(error, InvalidCachedStatementError):
        return RetryableError("The transaction conflicted with another one; please retry.")
    if isinstance(error, StandbyError):
        # On other servers, a statement that writes in a read-only transaction is a defect.
        return UnavailableError("The database currently allows only read-only transactions.")
    # The first two characters of an SQLSTATE are its class.
    if {state, state[:2]} & _UNAVAILABLE or _is_closed(error):
        return UnavailableError("The database is temporarily unavailable.")
    return None


def _is_invalid_value(error: BaseException) -> bool:
    """Return whether a value is invalid, and not the statement or the type of the value."""
    if _is_from_client(error):
        # asyncpg cannot encode the value. If it has the wrong type, the cause is a `TypeError`, or
        # a `ValueError` for text. A `Decimal` has the right type, but may have too many decimals.
        cause = error.__cause__
        is_decimal = isinstance(cause, ValueError) and "encode Decimal" in str(cause)
        return is_decimal or isinstance(cause, OverflowError | UnicodeEncodeError)
    return getattr(error, "sqlstate", None) in _INVALID_VALUES


def _is_from_client(error: BaseException) -> bool:
    """Return whether asyncpg itself raised the error, before it sent the statement."""
    return isinstance(error, DataError) and error.severity is None


def _hide_values(error: BaseException) -> None:
    """Remove the values of the row or of the parameters from the message."""
    if _is_from_client(error):
        # `invalid input for query argument $1: 'value' (reason)`; some reasons repeat the value.
        cause = error.__cause__
        if cause is None:
            # The values are removed already.
            return
        reason = cause if isinstance(cause, TypeError) else type(cause).__name__
        error.args = (f"{str(error).partition(':')[0]} ({reason})",)
        error.__cause__ = None
    elif isinstance(error, PostgresError):
        # `Failing row contains (1, value, ...)`.
        error.detail = None


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
