"""Request and response bodies of operations that a link in a mail completes."""

from typing import Annotated

from pydantic import Field, SecretStr

from app.schemas.base import RequestBody, ResponseBody
from app.schemas.users import Email, NewPassword

LinkToken = Annotated[
    SecretStr, Field(description="Token from the link in the mail.", examples=["A" * 43])
]


class Accepted(ResponseBody):
    """The request was accepted. The rest is in a mail."""


class ConfirmRequest(RequestBody):
    """The token of a registration, or of a changed e-mail."""

    token: LinkToken


class ForgotPasswordRequest(RequestBody):
    """The e-mail of a user who has forgotten the password."""

    email: Email


class ResetPasswordRequest(RequestBody):
    """The token of a password reset, and the new password."""

    token: LinkToken
    password: NewPassword
