"""Repositories of articles."""

from sqlalchemy import bindparam, select

from app.db.keyset import KeysetList
from app.db.models.articles import Article
from app.db.repositories.base import Reader, Writer


class ArticleReader(Reader):
    """Reads articles."""

    rows = KeysetList(
        select(Article.id, Article.title, Article.slug, Article.text, Article.created_at),
        sorts=("-created_at", "created_at", "title", "-title"),
        filters={
            "created_after": Article.created_at > bindparam("created_after"),
            "created_before": Article.created_at < bindparam("created_before"),
        },
        search_vector=Article.__table__.c.search_vector,
    )


class ArticleWriter(Writer):
    """Creates, updates and deletes articles."""

    model = Article
