"""Table of notes, each of which belongs to a user."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, String, Table

from app.db.base import created_at_column, metadata, updated_at_column
from app.db.search import search_column

notes = Table(
    "notes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("owner_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("title", String(50), nullable=False),
    Column("description", String(200)),
    created_at_column(),
    updated_at_column(),
    search_column("title || ' ' || COALESCE(description, '')"),
    # Serves the list of one owner's notes, newest first.
    Index("ix_notes_owner_id_id", "owner_id", "id"),
    Index("ix_notes_search_vector", "search_vector", postgresql_using="gin"),
)
