"""Request and response bodies of the administration of users."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field, StrictBool

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.scopes import Scopes
from app.schemas.users import NewPassword


class AccountRead(ResponseBody):
    """The account of a user."""

    id: Annotated[UUID, Field(description="ID of the user.")]
    email: Annotated[str, Field(description="E-mail in lower case.")]
    is_active: Annotated[bool, Field(description="False if the user is deactivated.")]
    scopes: Annotated[list[str], Field(description="Scopes of the user.")]
    created_at: Annotated[UtcDatetime, Field(description="Time of registration in UTC.")]


class AccountUpdate(RequestBody):
    """Fields to update. Omitted fields are unchanged."""

    is_active: Annotated[StrictBool, Field(description="False deactivates the user.")] | MISSING = (
        MISSING
    )
    scopes: Scopes | MISSING = MISSING


class PasswordSet(RequestBody):
    """A new password of another user."""

    password: NewPassword
