"""API keys of users."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, String, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.base import created_at_column, metadata, uuid_primary_key

api_keys = Table(
    "api_keys",
    metadata,
    uuid_primary_key(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("secret_hash", String(64), nullable=False),
    # Written at most once a minute.
    Column("last_used_at", DateTime(timezone=True)),
    created_at_column(),
    # Serves the list of one user's keys, newest first.
    Index("ix_api_keys_user_id_id", "user_id", "id"),
)
