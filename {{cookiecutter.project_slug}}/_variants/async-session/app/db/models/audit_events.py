"""Audit events: what administrators and operators have done."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin


class AuditEvent(CreatedAtMixin, Base):
    """One action. It has no foreign keys, so that it remains when a user is deleted."""

    __tablename__ = "audit_events"
    # Serve the lists of one user's events, newest first.
    __table_args__ = (
        Index("ix_audit_events_actor_id_id", "actor_id", "id"),
        Index("ix_audit_events_target_id_id", "target_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    #: The administrator; None for a command of an operator.
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(50))
    #: The user who was changed.
    target_id: Mapped[UUID]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    #: None for a command.
    request_id: Mapped[str | None] = mapped_column(String(128))
