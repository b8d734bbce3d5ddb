"""Types for input that take exactly what the database can store.

What PostgreSQL would refuse is a 422 here, and the OpenAPI document says so beforehand.
"""

import sys
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

#: Text of any kind but NUL, which PostgreSQL does not store. Lone surrogates, which have no UTF-8
#: form, never get past the parser.
NO_NUL_PATTERN = r"^[^\x00]*$"


def _only_numbers(value: object) -> object:
    # JSON Schema has 5.0 as an integer, and `true` and "5" as none.
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


def _only_dates(value: object) -> object:
    # Otherwise 5, and "5" too, is five seconds after the beginning of 1970.
    if not isinstance(value, str) or value[4:5] != "-":
        raise PydanticCustomError("datetime_type", "Input should be a date and time")
    return value


#: A number from 1 that fits an `integer` column.
PositiveInteger = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_only_numbers)]

#: A number for a `double precision` column. NaN, Infinity and 1e400 get past JSON's parser.
FiniteNumber = Annotated[
    float,
    Field(ge=-sys.float_info.max, le=sys.float_info.max, allow_inf_nan=False),
    BeforeValidator(_only_numbers),
]

#: A moment for a `timestamptz` column, with its offset from UTC; in UTC, its year has four digits.
AwareDatetimeIn = Annotated[
    AwareDatetime,
    Field(ge=datetime(1, 1, 1, tzinfo=UTC), le=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    BeforeValidator(_only_dates),
]
