"""Response bodies of sessions."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import ResponseBody, UtcDatetime


class SessionRead(ResponseBody):
    """A session, from a login to its end."""

    id: Annotated[UUID, Field(description="ID of the session.")]
    created_at: Annotated[UtcDatetime, Field(description="Time of the login in UTC.")]
    last_used_at: Annotated[
        UtcDatetime, Field(description="Time of the login or of the last refresh in UTC.")
    ]
    client: Annotated[
        str,
        Field(
            description="`User-Agent` of the last use, at most 200 characters.",
            examples=["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
        ),
    ]
    is_current: Annotated[bool, Field(description="Whether this request belongs to the session.")]
