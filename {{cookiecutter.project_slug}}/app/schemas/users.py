"""Request and response bodies of users."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, BeforeValidator, Field, SecretStr, StringConstraints

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime

# The addresses that browsers accept in <input type="email">.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL_PATTERN = r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@" + rf"{_LABEL}(?:\.{_LABEL})*$"

#: Converted to lower case, so that an e-mail can be registered only once.
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=_EMAIL_PATTERN, to_lower=True),
    Field(description="E-mail, converted to lower case.", examples=["ada@example.com"]),
]


def _reject_lone_surrogates(value: object) -> object:
    # Unlike `str`, `SecretStr` accepts them, but they cannot be encoded as UTF-8 to be hashed.
    if isinstance(value, str):
        # UnicodeEncodeError is a ValueError, which pydantic reports as a validation error.
        value.encode()
    return value


NewPassword = Annotated[
    SecretStr,
    Field(
        min_length=8,
        max_length=256,
        description="New password. Any characters are allowed. Common passwords, and words of the"
        " e-mail or of the service's name, are rejected.",
        examples=["four words of your own"],
    ),
    BeforeValidator(_reject_lone_surrogates),
]
#: A password to verify. If it is too short for a new password, it is a wrong password, not an
#: invalid request.
Password = Annotated[
    SecretStr,
    Field(min_length=1, max_length=256, examples=["four words of your own"]),
    BeforeValidator(_reject_lone_surrogates),
]


class UserCreate(RequestBody):
    """A user to register."""

    email: Email
    password: NewPassword


class UserUpdate(RequestBody):
    """Fields to update, confirmed by the current password. Omitted fields are unchanged."""

    email: Email | MISSING = MISSING
    password: NewPassword | MISSING = MISSING
    current_password: Annotated[Password, Field(description="Current password of the user.")]


class RegisteredUser(ResponseBody):
    """A new user, who has no scopes."""

    id: Annotated[UUID, Field(description="ID of the user.")]
    email: Annotated[str, Field(description="E-mail in lower case.")]
    created_at: Annotated[UtcDatetime, Field(description="Time of registration in UTC.")]


class UserRead(RegisteredUser):
    """A user."""

    scopes: Annotated[
        list[str],
        Field(description="Scopes of the user or, in a request with an API key, those of the key."),
    ]
