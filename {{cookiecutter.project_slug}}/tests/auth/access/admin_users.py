"""Access to the administration of users."""

from tests.auth.access_rules import scope

ROWS = {"user_id": "users"}
ACCESS = {
    "list_users": scope("users:admin", 200),
    "get_user": scope("users:admin", 200),
    "update_user": scope("users:admin", 200),
    "set_password": scope("users:admin", 204),
    "end_sessions": scope("users:admin", 204),
}
