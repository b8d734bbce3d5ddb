"""Services that all requests of a process share."""

from app.auth.login_throttle import LoginThrottle
from app.auth.passwords import PasswordHasher
from app.auth.tokens import AccessTokens
from app.settings import AuthSettings


class Authentication:
    """Process-wide authentication services.

    Created once: the password hasher owns threads, and without `AUTH_SECRETS` the access tokens are
    signed with a random key that exists only in this object.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self.settings = settings
        self.passwords = PasswordHasher(settings)
        self.throttle = LoginThrottle(settings)
        self.access_tokens = AccessTokens(settings)
