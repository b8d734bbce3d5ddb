"""Request and response bodies of API keys."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import PlainText
from app.schemas.scopes import Scopes


class ApiKeyCreate(RequestBody):
    """An API key to create."""

    name: Annotated[
        PlainText,
        Field(
            min_length=1,
            max_length=100,
            description="What the key is for.",
            examples=["nightly import"],
        ),
    ]
    scopes: Scopes


class ApiKeyRead(ResponseBody):
    """An API key, without its secret."""

    id: Annotated[UUID, Field(description="ID of the key.")]
    name: Annotated[str, Field(description="What the key is for.")]
    scopes: Annotated[
        list[str], Field(description="Scopes of the key. It has those that its user has, too.")
    ]
    created_at: Annotated[UtcDatetime, Field(description="Time of creation in UTC.")]
    last_used_at: Annotated[
        UtcDatetime | None,
        Field(description="Time of the last use in UTC, which may be a minute too early."),
    ]


class ApiKeyCreated(ApiKeyRead):
    """A new API key. The key itself is in no other response."""

    key: Annotated[str, Field(description="Sent as `Authorization: Bearer <key>`.")]
