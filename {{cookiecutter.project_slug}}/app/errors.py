"""Application errors.

Any layer may raise them. `app.api.error_handlers` turns each one into a problem response
with the error's `status`, `code`, `detail`, `headers` and `members`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class AppError(Exception):
    """Base class of the errors that the API reports to its clients."""

    status: ClassVar[int]
    #: The type of the problem is `/problems/<code>`; None if the status is specific enough.
    code: ClassVar[str | None] = None
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        #: Additional members of the problem, such as `field`.
        self.members = members


class NotFoundError(AppError):
    """The resource does not exist or is not visible to the caller."""

    status = 404

    def __init__(self, detail: str = "Not found.") -> None:
        super().__init__(detail)


class ConflictError(AppError):
    """The request conflicts with the stored data."""

    status = 409


class AlreadyExistsError(ConflictError):
    """A unique value is already in use; `field` names it if the constraint has a single column."""

    code = "already-exists"

    def __init__(self, field: str | None) -> None:
        members = {"field": field} if field else {}
        super().__init__(f"This {field or 'value'} is already in use.", **members)


class ReferenceNotFoundError(ConflictError):
    """The row that a foreign key refers to does not exist; `field` is the column of the key.

    `field` is omitted if the foreign key has several columns.
    """

    code = "reference-not-found"

    def __init__(self, field: str | None) -> None:
        members = {"field": field} if field else {}
        super().__init__(f"The referenced {field or 'row'} does not exist.", **members)


class StillReferencedError(ConflictError):
    """A row cannot be deleted, or its key changed, while rows of `referenced_by` refer to it."""

    code = "still-referenced"

    def __init__(self, referenced_by: str) -> None:
        super().__init__(f"Still referenced by {referenced_by}.", referenced_by=referenced_by)


class StaleVersionError(ConflictError):
    """The row has changed since the caller has read it."""

    code = "stale-version"

    def __init__(self) -> None:
        super().__init__("This resource has changed since it was read.")


class UnprocessableError(AppError):
    """A value is rejected after schema validation, by the database or by a rule of the service.

    `loc` is the path of the value in the request, or empty if it is not known.
    """

    status = 422

    def __init__(self, detail: str, *, loc: tuple[str, ...] = ("body",)) -> None:
        error = {"loc": list(loc), "type": "refused", "msg": detail}
        super().__init__("The request is not valid.", errors=[error])


class UnavailableError(AppError):
    """The service is temporarily unavailable; the client may retry.

    Nothing was written, with one exception: if the connection was lost during the commit, the
    transaction may or may not have been committed.
    """

    status = 503
    headers = MappingProxyType({"Retry-After": "1"})


class ShuttingDownError(UnavailableError):
    """The process is shutting down. Not logged for each request, since it is expected."""


class RetryableError(UnavailableError):
    """A serialization failure or deadlock rolled back the transaction, which may be retried."""
