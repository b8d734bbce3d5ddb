"""Response bodies of audit events."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.schemas.base import ResponseBody, UtcDatetime


class AuditEventRead(ResponseBody):
    """What an administrator or an operator has done."""

    id: Annotated[int, Field(description="ID of the event.")]
    created_at: Annotated[UtcDatetime, Field(description="Time in UTC.")]
    actor_id: Annotated[
        UUID | None, Field(description="ID of the administrator, or null for a command.")
    ]
    action: Annotated[str, Field(description="What was done.", examples=["deactivate"])]
    target_id: Annotated[UUID, Field(description="ID of the user to whom it was done.")]
    details: Annotated[
        dict[str, Any], Field(description="Such as the scopes that were granted or revoked.")
    ]
    request_id: Annotated[
        str | None, Field(description="ID of the request, or null for a command.")
    ]
