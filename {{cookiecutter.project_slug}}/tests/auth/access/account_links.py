"""Access to registration and password reset by mail: no access token is needed."""

from tests.auth.access_rules import anyone

ROWS: dict[str, str] = {}
ACCESS = {
    "register": anyone(202),
    "forgot_password": anyone(202),
    # The examples of the tokens are unknown.
    "confirm": anyone(404),
    "reset_password": anyone(404),
}
