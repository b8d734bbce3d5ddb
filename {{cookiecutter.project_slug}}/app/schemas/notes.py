"""Request and response bodies of notes."""

from typing import Annotated

from pydantic import MISSING, Field

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import PlainText

Title = Annotated[PlainText, Field(min_length=1, max_length=50, examples=["Milk"])]
Description = Annotated[PlainText, Field(max_length=200, examples=["Two bottles."])]


class NoteCreate(RequestBody):
    """A new note."""

    title: Title
    description: Description | None = None


class NoteUpdate(RequestBody):
    """Fields to update; omitted fields are unchanged, and `null` clears the description."""

    title: Title | MISSING = MISSING
    description: Description | MISSING | None = MISSING


class NoteRead(ResponseBody):
    """A note."""

    id: int
    title: str
    description: str | None
    created_at: UtcDatetime
