"""Users, as clients send and get them."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, BeforeValidator, Field, SecretStr, StringConstraints

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime

# What a browser takes in <input type="email">.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_ADDRESS = r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@" + rf"{_LABEL}(?:\.{_LABEL})*$"

#: Two addresses that differ in case are one.
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=_ADDRESS, to_lower=True),
    Field(examples=["ada@example.com"]),
]


def _whole_characters(value: object) -> object:
    # Unlike `str`, `SecretStr` takes halves, which have no UTF-8 form to be hashed.
    if isinstance(value, str):
        # Its error is a ValueError, which makes the input invalid.
        value.encode()
    return value


NewPassword = Annotated[
    SecretStr,
    Field(min_length=8, max_length=256, examples=["four words of your own"]),
    BeforeValidator(_whole_characters),
]
#: One that is compared: whatever is too short for a new one is merely wrong.
Password = Annotated[
    SecretStr,
    Field(min_length=1, max_length=256, examples=["four words of your own"]),
    BeforeValidator(_whole_characters),
]


class UserCreate(RequestBody):
    """A new user."""

    email: Email
    password: NewPassword


class UserUpdate(RequestBody):
    """The fields to change, and the password that allows it; what is left out stays."""

    email: Email | MISSING = MISSING
    password: NewPassword | MISSING = MISSING
    current_password: Password


class UserRead(ResponseBody):
    """A user."""

    id: UUID
    email: str
    created_at: UtcDatetime
