"""Errors of authentication."""

from math import ceil
from types import MappingProxyType

from app.errors import AppError, UnavailableError


class UnauthenticatedError(AppError):
    """Missing or invalid credentials."""

    status = 401
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class MissingScopeError(AppError):
    """The user, or the API key of the request, does not have the scope that the route requires."""

    status = 403
    code = "missing-scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The scope {scope} is required.", scope=scope)
        # https://www.rfc-editor.org/rfc/rfc6750#section-3
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        self.headers = {"WWW-Authenticate": challenge}


class TooManyRequestsError(AppError):
    """The client has reached a limit; it may retry after some seconds."""

    status = 429
    code = "too-many-requests"

    def __init__(self, detail: str = "Too many requests.", *, retry_after: float) -> None:
        super().__init__(detail)
        # The header takes whole seconds. 0 would let clients retry at once.
        self.headers = {"Retry-After": str(max(1, ceil(retry_after)))}


class TooManyLoginAttemptsError(TooManyRequestsError):
    """The limit on failed login attempts is reached."""

    code = "too-many-failures"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__("Too many failed login attempts.", retry_after=retry_after)


class HashQueueFullError(UnavailableError):
    """Too many requests wait for their passwords to be hashed."""

    def __init__(self) -> None:
        super().__init__("Too many passwords are waiting to be checked.")


class ClientDisconnectedError(UnavailableError):
    """The client has disconnected before its password was hashed. It does not get the response."""

    def __init__(self) -> None:
        super().__init__("The client has disconnected.")
