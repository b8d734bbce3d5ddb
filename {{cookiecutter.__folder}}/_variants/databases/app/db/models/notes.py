"""Notes, each of which belongs to a user."""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    String,
    Table,
    literal_column,
)

from app.db.base import created_at, metadata

#: What a search looks through and its index holds, with the brackets that PostgreSQL shows, by
#: which Alembic compares.
SEARCH_TEXT: ColumnElement[str] = literal_column(
    "to_tsvector('english', (title || ' ') || COALESCE(description, ''))"
)

notes = Table(
    "notes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("title", String(50), nullable=False),
    Column("description", String(200)),
    created_at(),
    # The list of one owner, in its order.
    Index("ix_notes_owner_id_id", "owner_id", "id"),
    Index("ix_notes_search", SEARCH_TEXT, postgresql_using="gin"),
)
