"""What all bodies have in common."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A body that a client sends; a field it does not have is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class ResponseBody(BaseModel):
    """A body that a client gets, made from a row."""

    model_config = ConfigDict(from_attributes=True)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


#: A moment, written in UTC whatever the time zone of the server.
UtcDatetime = Annotated[datetime, AfterValidator(_in_utc)]
