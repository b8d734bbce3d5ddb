"""Repositories of audit events, which are never changed."""

from sqlalchemy import select

from app.db.keyset import KeysetList
from app.db.models.audit_events import AuditEvent
from app.db.repositories.base import Reader, Writer


class AuditEventReader(Reader):
    """Reads audit events."""

    rows = KeysetList(
        select(*AuditEvent.__table__.c),
        filters={"actor_id": AuditEvent.actor_id, "target_id": AuditEvent.target_id},
    )


class AuditEventWriter(Writer):
    """Creates audit events."""

    model = AuditEvent
