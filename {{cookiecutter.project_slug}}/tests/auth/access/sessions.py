"""Access to sessions."""

from tests.auth.access_rules import owner, users, without_key

ROWS = {"session_id": "refresh_tokens"}
ACCESS = {
    "list_sessions": without_key(users(200)),
    "delete_sessions": without_key(users(204)),
    "delete_session": without_key(owner(204)),
}
