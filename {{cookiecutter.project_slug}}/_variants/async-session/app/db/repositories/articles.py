"""Repositories of articles."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from app.db.base import Row
from app.db.keyset import KeysetList, PageRequest
from app.db.models.articles import Article
from app.db.repositories.base import Reader, Writer

SELECT = select(Article.id, Article.title, Article.slug, Article.text, Article.created_at)
SELECT_BY_ID = SELECT.where(Article.id == bindparam("id"))
ARTICLE_LIST = KeysetList(
    SELECT,
    sorts=("-created_at", "created_at", "title", "-title"),
    filters={
        "created_after": Article.created_at > bindparam("created_after"),
        "created_before": Article.created_at < bindparam("created_before"),
    },
    search_vector=Article.__table__.c.search_vector,
)


class ArticleReader(Reader):
    """Reads articles."""

    async def get(self, article_id: UUID) -> Row:
        """Return an article. Raises `NotFoundError` if it does not exist."""
        return await self.fetch_one(SELECT_BY_ID, id=article_id)

    async def list(self, page: PageRequest) -> Sequence[Row]:
        """Return the articles of a page, and one more if there is a next page."""
        return await ARTICLE_LIST.fetch(self, page)


class ArticleWriter(Writer):
    """Creates, updates and deletes articles."""

    model = Article
