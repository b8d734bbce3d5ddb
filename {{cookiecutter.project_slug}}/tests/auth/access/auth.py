"""Access to login, refreshing and logout: no access token is needed."""

from tests.auth.access_rules import anyone

ROWS: dict[str, str] = {}
ACCESS = {
    # The examples of the password and of the refresh token are unknown.
    "log_in": anyone(401),
    "refresh": anyone(401),
    "log_out": anyone(204),
}
