"""Articles: found by id or page by page, newest first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select

from app.db.keyset import Pages
from app.db.models.articles import Article
from app.db.repositories.base import Reader, Writer

COLUMNS = (Article.id, Article.title, Article.slug, Article.text, Article.created_at)

BY_ID = select(*COLUMNS).where(Article.id == bindparam("id"))
PAGES = Pages(select(*COLUMNS), Article.id, Article.__table__.c.search_vector)


class ArticleReader(Reader):
    """Articles as a response shows them."""

    async def get(self, article_id: UUID) -> Row[Any]:
        """One article; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, id=article_id)

    async def page(self, *, limit: int, after: UUID | None, q: str | None) -> Sequence[Row[Any]]:
        """At most `limit` articles, newest first, older than `after`, that match `q`."""
        return await PAGES.fetch(self, limit=limit, after=after, q=q)


class ArticleWriter(Writer[Article]):
    """Changes to articles."""

    model = Article
