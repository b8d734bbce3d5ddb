"""Access to notes."""

from tests.auth.access_rules import owner, users

ROWS = {"note_id": "notes"}
ACCESS = {
    "list_notes": users(200),
    "create_note": users(201),
    "get_note": owner(200),
    "update_note": owner(200),
    "delete_note": owner(204),
}
