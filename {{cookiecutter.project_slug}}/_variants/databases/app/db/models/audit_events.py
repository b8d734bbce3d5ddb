"""Audit events: what administrators and operators have done."""

from sqlalchemy import BigInteger, Column, Identity, Index, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.base import created_at_column, metadata

# A row is one action. It has no foreign keys, so that it remains when a user is deleted.
audit_events = Table(
    "audit_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # The administrator; None for a command of an operator.
    Column("actor_id", Uuid),
    Column("action", String(50), nullable=False),
    # The user who was changed.
    Column("target_id", Uuid, nullable=False),
    Column("details", JSONB(none_as_null=True), nullable=False, server_default=text("'{}'")),
    # None for a command.
    Column("request_id", String(128)),
    created_at_column(),
    # Serve the lists of one user's events, newest first.
    Index("ix_audit_events_actor_id_id", "actor_id", "id"),
    Index("ix_audit_events_target_id_id", "target_id", "id"),
)
