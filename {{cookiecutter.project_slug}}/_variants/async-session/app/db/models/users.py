"""Users, and the tokens that keep them logged in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UuidPrimaryKeyMixin


class User(UuidPrimaryKeyMixin, CreatedAtMixin, Base):
    """Someone with a password."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email"),)

    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=true())
    #: Goes up when earlier access tokens shall no longer count.
    credentials_version: Mapped[int] = mapped_column(server_default=text("0"))


class RefreshToken(UuidPrimaryKeyMixin, CreatedAtMixin, Base):
    """The family of tokens of one login, with the hash of the one that is next to be used."""

    __tablename__ = "refresh_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(index=True)
