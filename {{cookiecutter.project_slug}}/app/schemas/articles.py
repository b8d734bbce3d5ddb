"""Request and response bodies of articles."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.base import RequestBody, ResponseBody, UtcDatetime
from app.schemas.fields import PlainText

Title = Annotated[PlainText, Field(min_length=1, max_length=65, examples=["Hello, world"])]
Slug = Annotated[
    str,
    Field(
        min_length=1,
        max_length=65,
        pattern="^[a-z0-9]+(-[a-z0-9]+)*$",
        description="Unique: lower-case words joined by hyphens.",
        examples=["hello-world"],
    ),
]
# PostgreSQL limits a search vector to one megabyte; text of this length stays well below it.
Text = Annotated[PlainText, Field(min_length=1, max_length=50_000, examples=["The first of many."])]


class ArticleCreate(RequestBody):
    """A new article."""

    title: Title
    slug: Slug
    text: Text


class ArticleUpdate(RequestBody):
    """Fields to update; omitted fields are unchanged."""

    title: Title | MISSING = MISSING
    slug: Slug | MISSING = MISSING
    text: Text | MISSING = MISSING


class ArticleRead(ResponseBody):
    """An article."""

    id: UUID
    title: str
    slug: str
    text: str
    created_at: UtcDatetime
