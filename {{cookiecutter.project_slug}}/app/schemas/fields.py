"""Input types limited to what PostgreSQL can store.

A value that the database would reject is a validation error (422), and OpenAPI documents the limit.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

#: Pattern of text without NUL, which PostgreSQL cannot store. Lone surrogates need no pattern:
#: pydantic's `str` rejects them.
NO_NUL_PATTERN = r"^[^\x00]*$"


def _require_number(value: object) -> object:
    # As JSON Schema defines it: 5.0 is an integer; `true` and "5", which pydantic accepts, are not.
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


#: An integer of at least 1 that fits an `integer` column.
PositiveInteger = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_require_number)]
