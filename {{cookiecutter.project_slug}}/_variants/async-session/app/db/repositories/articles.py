"""Repositories of articles."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from app.db.base import Row
from app.db.keyset import ListQueries
from app.db.models.articles import Article
from app.db.repositories.base import Reader, Writer

SELECT = select(Article.id, Article.title, Article.slug, Article.text, Article.created_at)
SELECT_BY_ID = SELECT.where(Article.id == bindparam("id"))
LIST_QUERIES = ListQueries(SELECT, Article.id, Article.__table__.c.search_vector)


class ArticleReader(Reader):
    """Reads articles."""

    async def get(self, article_id: UUID) -> Row:
        """Return an article. Raises `NotFoundError` if it does not exist."""
        return await self.fetch_one(SELECT_BY_ID, id=article_id)

    async def list(self, *, limit: int, after: UUID | None, q: str | None) -> Sequence[Row]:
        """Return at most `limit` articles, newest first.

        `after` is the ID of the last article of the previous page, and `q` is a search query. Both
        may be None.
        """
        return await LIST_QUERIES.fetch(self, limit=limit, after=after, q=q)


class ArticleWriter(Writer):
    """Creates, updates and deletes articles."""

    model = Article
