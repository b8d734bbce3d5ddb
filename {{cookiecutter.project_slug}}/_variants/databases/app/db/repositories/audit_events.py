"""Repositories of audit events, which are never changed."""

from sqlalchemy import select

from app.db.keyset import KeysetList
from app.db.models.audit_events import audit_events
from app.db.repositories.base import Reader, Writer


class AuditEventReader(Reader):
    """Reads audit events."""

    rows = KeysetList(
        select(*audit_events.c),
        filters={"actor_id": audit_events.c.actor_id, "target_id": audit_events.c.target_id},
    )


class AuditEventWriter(Writer):
    """Creates audit events."""

    table = audit_events
