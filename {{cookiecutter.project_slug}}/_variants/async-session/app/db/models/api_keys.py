"""API keys of users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UuidPrimaryKeyMixin


class ApiKey(UuidPrimaryKeyMixin, CreatedAtMixin, Base):
    """An API key, with the hash of its secret."""

    __tablename__ = "api_keys"
    # Serves the list of one user's keys, newest first.
    __table_args__ = (Index("ix_api_keys_user_id_id", "user_id", "id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    secret_hash: Mapped[str] = mapped_column(String(64))
    #: Written at most once a minute.
    last_used_at: Mapped[datetime | None]
