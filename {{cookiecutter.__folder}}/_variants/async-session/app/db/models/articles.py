"""Articles."""

from sqlalchemy import ColumnElement, Index, String, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Timestamped, UuidKey

#: What a search looks through and its index holds, with the brackets that PostgreSQL shows, by
#: which Alembic compares.
SEARCH_TEXT: ColumnElement[str] = literal_column("to_tsvector('english', (title || ' ') || text)")


class Article(UuidKey, Timestamped, Base):
    """A text with a title, found by its slug."""

    __tablename__ = "articles"
    __table_args__ = (Index("ix_articles_search", SEARCH_TEXT, postgresql_using="gin"),)

    title: Mapped[str] = mapped_column(String(65))
    slug: Mapped[str] = mapped_column(String(65), unique=True)
    text: Mapped[str]
