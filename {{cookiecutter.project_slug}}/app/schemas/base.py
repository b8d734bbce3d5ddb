"""Base classes of request and response bodies."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer


class RequestBody(BaseModel):
    """Base of request bodies; unknown fields are rejected.

    In the body of an update, the default of each field is `MISSING`: a client may omit the field,
    and `null` is only valid if the type allows it. `model_dump(exclude_unset=True)` returns the
    fields that the client sent.
    """

    model_config = ConfigDict(extra="forbid")


class ResponseBody(BaseModel):
    """Base of response bodies; `model_validate` accepts rows and entities of the database."""

    model_config = ConfigDict(from_attributes=True)


def _to_utc(timestamp: datetime) -> datetime:
    return timestamp.astimezone(UTC)


#: A timestamp in UTC, independent of the time zone of the database session.
UtcDatetime = Annotated[datetime, AfterValidator(_to_utc)]


def _without_exponent(number: Decimal) -> str:
    return f"{number:f}"


#: A number with more than six decimal places. Otherwise, zero would be `0E-7` in JSON.
PlainDecimal = Annotated[Decimal, PlainSerializer(_without_exponent, when_used="json")]
