"""Request and response bodies of login and sessions."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from app.schemas.base import RequestBody, ResponseBody
from app.schemas.fields import PlainText
from app.schemas.users import Password


class LoginForm(BaseModel):
    """OAuth 2 password grant. Unknown fields are ignored, as OAuth 2 requires.

    https://www.rfc-editor.org/rfc/rfc6749#section-4.3.2
    """

    grant_type: Annotated[Literal["password"], Field(description="OAuth 2 grant type.")] = (
        "password"
    )
    # Not validated as an e-mail: an invalid one gets the same response as an unknown one.
    username: Annotated[
        PlainText,
        StringConstraints(min_length=1, max_length=254, to_lower=True),
        Field(description="E-mail of the user.", examples=["ada@example.com"]),
    ]
    password: Annotated[Password, Field(description="Password of the user.")]


class RefreshTokenRequest(RequestBody):
    """A refresh token."""

    refresh_token: Annotated[
        SecretStr,
        Field(description="Latest refresh token of the session.", examples=["A" * 64]),
    ]


class TokenResponse(ResponseBody):
    """Access and refresh token."""

    access_token: Annotated[str, Field(description="Sent as `Authorization: Bearer <token>`.")]
    refresh_token: Annotated[str, Field(description="Single-use token for the next refresh.")]
    token_type: Annotated[Literal["bearer"], Field(description="OAuth 2 token type.")] = "bearer"  # noqa: S105 - not a password
    expires_in: Annotated[int, Field(description="Lifetime of the access token in seconds.")]
