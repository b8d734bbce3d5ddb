"""What a link in a mail completes, and the users whose e-mail is not confirmed."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, String, Table, Text

from app.db.base import created_at_column, metadata, uuid_primary_key

# A registration, a change of an e-mail or a password reset that the mail has to complete. A request
# inserts the row. The job that sends the mail adds the user and the hash of the token.
account_tokens = Table(
    "account_tokens",
    metadata,
    uuid_primary_key(),
    Column("purpose", String(20), nullable=False),
    # Where the mail is sent to.
    Column("email", String(254), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), index=True),
    # Of the password in a registration.
    Column("password_hash", Text),
    Column("token_hash", String(64), unique=True),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    created_at_column(),
    CheckConstraint("purpose IN ('registration', 'email', 'password')", name="purpose"),
)

# Marks a user whose e-mail is not confirmed. All other users count as confirmed.
unconfirmed_users = Table(
    "unconfirmed_users",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
)
