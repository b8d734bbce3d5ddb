"""Model of articles."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UpdatedAtMixin, UuidPrimaryKeyMixin
from app.db.search import search_column


class Article(UuidPrimaryKeyMixin, CreatedAtMixin, UpdatedAtMixin, Base):
    """An article with a unique slug."""

    __tablename__ = "articles"
    __table_args__ = (
        search_column("title || ' ' || text"),
        # Serve the sorts of the list, in both directions.
        Index("ix_articles_created_at_id", "created_at", "id"),
        Index("ix_articles_title_id", "title", "id"),
        Index("ix_articles_search_vector", "search_vector", postgresql_using="gin"),
    )

    title: Mapped[str] = mapped_column(String(65))
    slug: Mapped[str] = mapped_column(String(65), unique=True)
    text: Mapped[str]
