"""Model of notes, each of which belongs to a user."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UpdatedAtMixin
from app.db.search import search_column


class Note(CreatedAtMixin, UpdatedAtMixin, Base):
    """A note that only its owner can access."""

    __tablename__ = "notes"
    __table_args__ = (
        search_column("title || ' ' || COALESCE(description, '')"),
        # Serves the list of one owner's notes, newest first.
        Index("ix_notes_owner_id_id", "owner_id", "id"),
        Index("ix_notes_search_vector", "search_vector", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(50))
    description: Mapped[str | None] = mapped_column(String(200))
