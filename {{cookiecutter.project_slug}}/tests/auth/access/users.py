"""Access to the authenticated user."""

from tests.auth.access_rules import users, without_key

ROWS: dict[str, str] = {}
ACCESS = {
    "get_me": users(200),
    # The example of the current password is wrong.
    "update_me": without_key(users(422)),
}
