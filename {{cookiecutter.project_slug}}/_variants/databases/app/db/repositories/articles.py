"""Repositories of articles."""

from sqlalchemy import bindparam, select

from app.db.keyset import KeysetList
from app.db.models.articles import articles
from app.db.repositories.base import Reader, Writer


class ArticleReader(Reader):
    """Reads articles."""

    rows = KeysetList(
        select(
            articles.c.id, articles.c.title, articles.c.slug, articles.c.text, articles.c.created_at
        ),
        sorts=("-created_at", "created_at", "title", "-title"),
        filters={
            "created_after": articles.c.created_at > bindparam("created_after"),
            "created_before": articles.c.created_at < bindparam("created_before"),
        },
        search_vector=articles.c.search_vector,
    )


class ArticleWriter(Writer):
    """Creates, updates and deletes articles."""

    table = articles
