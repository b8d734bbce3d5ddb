"""What all requests of one process share to find out who is asking."""

from app.auth.login_throttle import LoginThrottle
from app.auth.passwords import PasswordHasher
from app.auth.tokens import AccessTokens
from app.settings import AuthSettings


class Authentication:
    """The means of authentication, as the settings describe them."""

    def __init__(self, settings: AuthSettings) -> None:
        self.settings = settings
        self.passwords = PasswordHasher(settings)
        self.throttle = LoginThrottle(settings)
        self.access_tokens = AccessTokens(settings)
