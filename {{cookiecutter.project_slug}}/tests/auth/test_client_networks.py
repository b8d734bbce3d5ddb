"""The networks of a client."""

import pytest

from app.auth.login_throttle import PasswordAttempt
from tests.auth.helpers import EMAIL


@pytest.mark.parametrize(
    ("client_ip", "network", "site"),
    [
        ("192.0.2.7", "192.0.2.7", None),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2.7", None),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("unknown", "unknown", None),
        ("x" * 300, "x" * 64, None),
        ("", "", None),
    ],
)
def test_attempt_contains_the_networks_and_not_the_email(
    client_ip: str, network: str, site: str | None
) -> None:
    attempt = PasswordAttempt.for_login(EMAIL, client_ip)
    assert attempt.networks == (network, site)
    assert EMAIL not in attempt.account_key
