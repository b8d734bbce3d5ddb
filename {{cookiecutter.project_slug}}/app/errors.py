"""What can go wrong, in terms of this service.

Any layer raises these; `app.api.problem_details` turns each into one `application/problem+json`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class AppError(Exception):
    """A request or a unit of work that ended without doing what was asked."""

    status: ClassVar[int]
    #: Names the problem type where the status alone does not say enough.
    code: ClassVar[str | None] = None
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        #: Further members of the problem, such as `field`.
        self.members = members


class NotFoundError(AppError):
    """There is no such thing, or not for this caller."""

    status = 404

    def __init__(self, detail: str = "Not found.") -> None:
        super().__init__(detail)


class ConflictError(AppError):
    """The request contradicts what is stored."""

    status = 409


class AlreadyExistsError(ConflictError):
    """A unique value is taken; `field` names it where a single field is unique."""

    code = "already-exists"

    def __init__(self, field: str | None) -> None:
        members = {"field": field} if field else {}
        super().__init__(f"This {field or 'value'} is already taken.", **members)


class UnprocessableError(AppError):
    """A value that passed the schema and was refused further in."""

    status = 422

    def __init__(self, detail: str, *, loc: tuple[str, ...] = ("body",)) -> None:
        error = {"loc": list(loc), "type": "refused", "msg": detail}
        super().__init__("The request is not valid.", errors=[error])


class UnavailableError(AppError):
    """Not now; the same request may succeed soon.

    Nothing was done, but for a connection that broke at the commit: then nobody knows.
    """

    status = 503
    headers = MappingProxyType({"Retry-After": "1"})


class ShuttingDownError(UnavailableError):
    """The process is shutting down: an expected refusal, logged once when the shutdown begins."""


class RetryableError(UnavailableError):
    """A transaction that gave way to another one; run again as a whole, it may succeed."""
