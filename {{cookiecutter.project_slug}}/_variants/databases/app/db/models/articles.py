"""Table of articles."""

from sqlalchemy import Column, Index, String, Table, Text

from app.db.base import created_at_column, metadata, updated_at_column, uuid_primary_key
from app.db.search import search_column

articles = Table(
    "articles",
    metadata,
    uuid_primary_key(),
    Column("title", String(65), nullable=False),
    Column("slug", String(65), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    created_at_column(),
    updated_at_column(),
    search_column("title || ' ' || text"),
    # Serve the sorts of the list, in both directions.
    Index("ix_articles_created_at_id", "created_at", "id"),
    Index("ix_articles_title_id", "title", "id"),
    Index("ix_articles_search_vector", "search_vector", postgresql_using="gin"),
)
