"""Errors of authentication."""

from math import ceil
from types import MappingProxyType

from app.errors import AppError


class UnauthenticatedError(AppError):
    """Missing or invalid credentials."""

    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class TooManyLoginAttemptsError(AppError):
    """The limit on failed login attempts is reached; the client may retry after some seconds."""

    status = 429
    code = "too-many-failures"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__("Too many failed login attempts.")
        # The header takes whole seconds. 0 would let clients retry at once.
        self.headers = {"Retry-After": str(max(1, ceil(retry_after)))}
