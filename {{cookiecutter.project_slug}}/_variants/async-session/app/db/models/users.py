"""Users and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    func,
    literal_column,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UpdatedAtMixin, UuidPrimaryKeyMixin

#: The parameters of argon2 in a password hash, such as `m=65536,t=3,p=4`. The expression has no
#: bind parameters, so that PostgreSQL can use the index.
HASH_PARAMETERS = literal_column("split_part(password_hash, '$', 4)", String)


class User(UuidPrimaryKeyMixin, CreatedAtMixin, UpdatedAtMixin, Base):
    """A user account."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email"),
        # Serves the list of users.
        Index("ix_users_created_at_id", "created_at", "id"),
        Index("ix_users_scopes", "scopes", postgresql_using="gin"),
        Index("ix_users_hash_parameters", HASH_PARAMETERS),
    )

    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=true())
    #: Incremented when all sessions end, such as by a new password. Access tokens that carry an
    #: earlier version are invalid.
    credentials_version: Mapped[int] = mapped_column(server_default=text("0"))
    #: Names of `app.auth.scopes`.
    scopes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))


class RefreshToken(UuidPrimaryKeyMixin, CreatedAtMixin, Base):
    """A session: a family of refresh tokens, with the hash of the only one that is valid."""

    __tablename__ = "refresh_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    #: Time of the login or of the last refresh.
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    #: `User-Agent` of the last use.
    client: Mapped[str] = mapped_column(String(200), server_default="")
