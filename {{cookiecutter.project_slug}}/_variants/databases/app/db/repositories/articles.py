"""Articles: found by id or page by page, newest first."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from app.db.base import Row
from app.db.keyset import Pages
from app.db.models.articles import articles
from app.db.repositories.base import Reader, Writer

COLUMNS = (
    articles.c.id,
    articles.c.title,
    articles.c.slug,
    articles.c.text,
    articles.c.created_at,
)

BY_ID = select(*COLUMNS).where(articles.c.id == bindparam("id"))
PAGES = Pages(select(*COLUMNS), articles.c.id, articles.c.search_vector)


class ArticleReader(Reader):
    """Articles as a response shows them."""

    async def get(self, article_id: UUID) -> Row:
        """One article; raises `NotFoundError` without."""
        return await self.fetch_one(BY_ID, id=article_id)

    async def page(self, *, limit: int, after: UUID | None, q: str | None) -> Sequence[Row]:
        """At most `limit` articles, newest first, older than `after`, that match `q`."""
        return await PAGES.fetch(self, limit=limit, after=after, q=q)


class ArticleWriter(Writer):
    """Changes to articles."""

    table = articles
