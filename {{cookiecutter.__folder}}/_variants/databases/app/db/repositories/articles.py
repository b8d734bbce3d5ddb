"""Articles: found by id or page by page, newest first."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import bindparam, select

from app.db.base import Row
from app.db.models.articles import SEARCH_TEXT, articles
from app.db.pages import Pages
from app.db.repositories.base import Reader, Writer

BY_ID = select(*articles.c).where(articles.c.id == bindparam("id"))
PAGES = Pages(select(*articles.c), articles.c.id, SEARCH_TEXT)


class ArticleReader(Reader):
    """Articles as a response shows them."""

    async def get(self, article_id: UUID) -> Row:
        """One article; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, id=article_id)

    async def page(self, *, limit: int, after: UUID | None, q: str | None) -> Sequence[Row]:
        """At most `limit` articles, newest first, older than `after`, that match `q`."""
        statement, values = PAGES.choose(after=after, q=q)
        return await self.fetch_all(statement, limit=limit, **values)


class ArticleWriter(Writer):
    """Changes to articles."""

    table = articles


ReadArticles = Annotated[ArticleReader, Depends(ArticleReader.dependency)]
WriteArticles = Annotated[ArticleWriter, Depends(ArticleWriter.dependency)]
