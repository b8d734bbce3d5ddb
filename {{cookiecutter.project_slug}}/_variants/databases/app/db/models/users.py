"""Users and their sessions."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    literal_column,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.base import created_at_column, metadata, updated_at_column, uuid_primary_key

#: The parameters of argon2 in a password hash, such as `m=65536,t=3,p=4`. The expression has no
#: bind parameters, so that PostgreSQL can use the index.
HASH_PARAMETERS = literal_column("split_part(password_hash, '$', 4)", String)

users = Table(
    "users",
    metadata,
    uuid_primary_key(),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    # Incremented when all sessions end, such as by a new password. Access tokens that carry an
    # earlier version are invalid.
    Column("credentials_version", Integer, nullable=False, server_default=text("0")),
    # Names of `app.auth.scopes`.
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    created_at_column(),
    updated_at_column(),
    CheckConstraint("email = lower(email)", name="email"),
    # Serves the list of users.
    Index("ix_users_created_at_id", "created_at", "id"),
    Index("ix_users_scopes", "scopes", postgresql_using="gin"),
    Index("ix_users_hash_parameters", HASH_PARAMETERS),
)

# A row is a session: a family of refresh tokens, with the hash of the only one that is valid.
refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    uuid_primary_key(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    # Time of the login or of the last refresh.
    Column("last_used_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # `User-Agent` of the last use.
    Column("client", String(200), nullable=False, server_default=""),
    created_at_column(),
)
