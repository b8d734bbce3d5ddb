"""Input types limited to what PostgreSQL can store.

A value that the database would reject is a validation error (422), and OpenAPI documents the limit.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

#: Text without NUL, which PostgreSQL cannot store. Pydantic's `str` rejects lone surrogates.
PlainText = Annotated[str, Field(pattern=r"^[^\x00]*$")]


def _require_number(value: object) -> object:
    # As JSON Schema defines it: 5.0 is an integer; `true` and "5", which pydantic accepts, are not.
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


#: An integer of at least 1 that fits an `integer` column.
PositiveInteger = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_require_number)]


_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def _require_date_time(value: object) -> object:
    # As RFC 3339 defines it. Pydantic also accepts a number of seconds.
    if not isinstance(value, str) or "T" not in value.upper():
        raise PydanticCustomError("timestamp_type", "Input should be a timestamp")
    return value


def _clamp_to_utc(timestamp: datetime) -> datetime:
    try:
        return timestamp.astimezone(UTC)
    except OverflowError:
        # In UTC, the first or last hours of the calendar may be in the year 0 or 10000.
        return _FIRST if timestamp.year == _FIRST.year else _LAST


#: A timestamp with a time zone, converted to UTC.
Timestamp = Annotated[
    AwareDatetime,
    BeforeValidator(_require_date_time),
    AfterValidator(_clamp_to_utc),
    Field(examples=["2026-01-31T12:00:00Z"]),
]
