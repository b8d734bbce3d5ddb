"""Articles."""

from sqlalchemy import Column, ColumnElement, Index, String, Table, Text, literal_column

from app.db.base import created_at, metadata, uuid_key

#: What a search looks through and its index holds, with the brackets that PostgreSQL shows, by
#: which Alembic compares.
SEARCH_TEXT: ColumnElement[str] = literal_column("to_tsvector('english', (title || ' ') || text)")

articles = Table(
    "articles",
    metadata,
    uuid_key(),
    Column("title", String(65), nullable=False),
    Column("slug", String(65), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    created_at(),
    Index("ix_articles_search", SEARCH_TEXT, postgresql_using="gin"),
)
