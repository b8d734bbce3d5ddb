"""What can go wrong while finding out who is asking."""

from math import ceil
from types import MappingProxyType

from app.errors import AppError


class UnauthenticatedError(AppError):
    """Nobody that this service knows is asking."""

    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class TooManyLoginAttemptsError(AppError):
    """A limit on failed logins is reached; the next try is possible after `seconds`."""

    status = 429
    code = "too-many-failures"

    def __init__(self, seconds: float) -> None:
        super().__init__("Too many failed logins.")
        self.headers = {"Retry-After": str(max(1, ceil(seconds)))}
