"""Access to registration: no access token is needed."""

from tests.auth.access_rules import anyone

ROWS: dict[str, str] = {}
ACCESS = {"register": anyone(201)}
