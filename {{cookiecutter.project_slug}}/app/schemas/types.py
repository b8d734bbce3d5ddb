"""Types for input that take exactly what the database can store.

What PostgreSQL would refuse is a 422 here, and the OpenAPI document says so beforehand.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

#: Text of any kind but NUL, which PostgreSQL does not store. Lone surrogates, which have no UTF-8
#: form, never get past the parser.
NO_NUL = r"^[^\x00]*$"


def _only_numbers(value: object) -> object:
    # JSON Schema has 5.0 as an integer, and `true` and "5" as none.
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


#: A number from 1 that fits an `integer` column.
PositiveInteger = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_only_numbers)]
