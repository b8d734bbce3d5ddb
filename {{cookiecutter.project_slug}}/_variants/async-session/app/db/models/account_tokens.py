"""What a link in a mail completes, and the users whose e-mail is not confirmed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin, UuidPrimaryKeyMixin


class AccountToken(UuidPrimaryKeyMixin, CreatedAtMixin, Base):
    """A registration, a change of an e-mail or a password reset that the mail has to complete.

    A request inserts the row. The job that sends the mail adds the user and the hash of the token.
    """

    __tablename__ = "account_tokens"
    __table_args__ = (
        CheckConstraint("purpose IN ('registration', 'email', 'password')", name="purpose"),
    )

    purpose: Mapped[str] = mapped_column(String(20))
    #: Where the mail is sent to.
    email: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    #: Of the password in a registration.
    password_hash: Mapped[str | None]
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UnconfirmedUser(Base):
    """Marks a user whose e-mail is not confirmed. All other users count as confirmed."""

    __tablename__ = "unconfirmed_users"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
