"""Logins, as clients ask for and get them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from app.schemas.base import RequestBody, ResponseBody
from app.schemas.fields import NO_NUL_PATTERN
from app.schemas.users import Password


class LoginForm(BaseModel):
    """The password grant of OAuth 2, which ignores fields that it does not know.

    https://www.rfc-editor.org/rfc/rfc6749#section-4.3.2
    """

    grant_type: Literal["password"] = "password"
    # An address that cannot be one is merely unknown.
    username: Annotated[
        str,
        StringConstraints(min_length=1, max_length=254, pattern=NO_NUL_PATTERN, to_lower=True),
        Field(examples=["ada@example.com"]),
    ]
    password: Password


class RefreshTokenRequest(RequestBody):
    """The refresh token of a login."""

    refresh_token: Annotated[SecretStr, Field(examples=["A" * 64])]


class TokenResponse(ResponseBody):
    """What a login is good for."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - says how to use it
    expires_in: Annotated[int, Field(description="Seconds that the access token lasts.")]
