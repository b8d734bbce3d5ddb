"""Access to audit events."""

from tests.auth.access_rules import scope

ROWS: dict[str, str] = {}
ACCESS = {"list_audit_events": scope("users:admin", 200)}
