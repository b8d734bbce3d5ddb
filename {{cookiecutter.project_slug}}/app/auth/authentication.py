"""Services that all requests of a process share."""

from app.auth.login_throttle import LoginThrottle
from app.auth.passwords import PasswordHasher
from app.auth.settings import AuthSettings
from app.auth.tokens import AccessTokens


class Authentication:
    """Process-wide authentication services.

    Create only one per process, because its password hasher owns threads, and because without
    `AUTH_SECRETS` each object signs access tokens with its own random key.
    """

    def __init__(self, settings: AuthSettings) -> None:
        self.settings = settings
        self.passwords = PasswordHasher(settings)
        self.throttle = LoginThrottle(settings)
        self.access_tokens = AccessTokens(settings)
