"""Input types limited to what PostgreSQL can store.

A value that the database would reject is a validation error (422), and OpenAPI documents the limit.
"""

import json
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    FiniteFloat,
    JsonValue,
)
from pydantic_core import PydanticCustomError

#: Pattern of text without NUL, which PostgreSQL cannot store. Lone surrogates need no pattern:
#: pydantic's `str` rejects them.
NO_NUL_PATTERN = r"^[^\x00]*$"
#: Text that PostgreSQL can store.
PlainText = Annotated[str, Field(pattern=NO_NUL_PATTERN)]


def _require_number(value: object) -> object:
    # As JSON Schema defines it: 5.0 is an integer; `true` and "5", which pydantic accepts, are not.
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


#: An integer of at least 1 that fits an `integer` column.
PositiveInteger = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_require_number)]
#: An integer that fits an `integer` column.
Integer = Annotated[int, Field(ge=-(2**31), le=2**31 - 1), BeforeValidator(_require_number)]
#: An integer that fits a `bigint` column.
BigInteger = Annotated[int, Field(ge=-(2**63), le=2**63 - 1), BeforeValidator(_require_number)]
#: A number that fits a `double precision` column, without infinity and NaN.
FiniteNumber = Annotated[FiniteFloat, BeforeValidator(_require_number)]

#: An e-mail address. Whether it exists is only known when a message has arrived.
Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", examples=["ada@example.com"]),
]


def _limit_size(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    # `jsonb` has neither NaN nor NUL. Without its escaped backslashes, the text has `\u0000` only
    # for NUL.
    text = json.dumps(value, allow_nan=False)
    if len(text) > 10_000 or r"\u0000" in text.replace(r"\\", ""):
        raise PydanticCustomError(
            "json_object", "Input should have at most 10000 characters, and no NUL"
        )
    return value


#: A JSON object of at most 10,000 characters, for a `jsonb` column.
JsonObject = Annotated[
    dict[str, JsonValue], AfterValidator(_limit_size), Field(examples=[{"key": "value"}])
]


def _require_date(value: object) -> object:
    # Pydantic also accepts a number of seconds, and a timestamp at midnight.
    if not isinstance(value, str) or len(value) != len("2030-01-31"):
        raise PydanticCustomError("date_type", "Input should be a date")
    return value


#: A date.
Date = Annotated[date, BeforeValidator(_require_date)]

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
