"""What all requests of one process share to find out who is asking."""

from app.auth.passwords import Passwords
from app.auth.throttle import Throttle
from app.auth.tokens import AccessTokens
from app.settings import AuthSettings


class Means:
    """The means of authentication, as the settings describe them."""

    def __init__(self, settings: AuthSettings) -> None:
        self.settings = settings
        self.passwords = Passwords(settings)
        self.throttle = Throttle(settings)
        self.access_tokens = AccessTokens(settings)
