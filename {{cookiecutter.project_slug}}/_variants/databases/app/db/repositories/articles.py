"""Articles: found by id or page by page, newest first."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import ColumnElement, Select, Text, bindparam, func, select

from app.db.base import Row
from app.db.models.articles import SEARCH_TEXT, articles
from app.db.repositories.base import Reader, Writer

BY_ID = select(*articles.c).where(articles.c.id == bindparam("id"))


def _page(*conditions: ColumnElement[bool]) -> Select[Any]:
    # Keys are made in order of time, so the primary key's index serves "newest first".
    newest_first = select(*articles.c).order_by(articles.c.id.desc()).limit(bindparam("limit"))
    return newest_first.where(*conditions)


AFTER = articles.c.id < bindparam("after")
MATCHING = SEARCH_TEXT.bool_op("@@")(
    func.websearch_to_tsquery("english", bindparam("q", type_=Text))
)

#: Statements are made once; by whether there is a cursor, and whether there is a search.
PAGES = {
    (False, False): _page(),
    (True, False): _page(AFTER),
    (False, True): _page(MATCHING),
    (True, True): _page(AFTER, MATCHING),
}


class ArticleReader(Reader):
    """Articles as a response shows them."""

    async def get(self, article_id: UUID) -> Row:
        """One article; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, id=article_id)

    async def page(self, *, limit: int, after: UUID | None, q: str | None) -> Sequence[Row]:
        """At most `limit` articles, newest first, older than `after`, that match `q`."""
        values = {"after": after, "q": q}
        given = {name: value for name, value in values.items() if value is not None}
        return await self.fetch_all(PAGES["after" in given, "q" in given], limit=limit, **given)


class ArticleWriter(Writer):
    """Changes to articles."""

    table = articles


ReadArticles = Annotated[ArticleReader, Depends(ArticleReader.dependency)]
WriteArticles = Annotated[ArticleWriter, Depends(ArticleWriter.dependency)]
