"""Notes, each of which belongs to a user."""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    String,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamped

#: What a search looks through and its index holds, with the brackets that PostgreSQL shows, by
#: which Alembic compares.
SEARCH_TEXT: ColumnElement[str] = literal_column(
    "to_tsvector('english', (title || ' ') || COALESCE(description, ''))"
)


class Note(Timestamped, Base):
    """A title and perhaps some words, for the eyes of its owner."""

    __tablename__ = "notes"
    __table_args__ = (
        # The list of one owner, in its order.
        Index("ix_notes_owner_id_id", "owner_id", "id"),
        Index("ix_notes_search", SEARCH_TEXT, postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(50))
    description: Mapped[str | None] = mapped_column(String(200))
