"""Access to the probes."""

from tests.auth.access_rules import anyone

ROWS: dict[str, str] = {}
# The service in the tests has not started its checks.
ACCESS = {"livez": anyone(200), "readyz": anyone(200, 503)}
