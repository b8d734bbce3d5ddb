"""The OpenAPI document, and a check that responses conform to it."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from httpx2 import Response

from dev.default_settings import unreachable_settings
from dev.openapi import build_document

UNREACHABLE = unreachable_settings()
DOCUMENT = build_document()


class Operation(NamedTuple):
    """An operation of the API: a method, a path, and the operation object of the document."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """Return the operation ID."""
        operation_id: str = self.spec["operationId"]
        return operation_id

    @property
    def statuses(self) -> set[int]:
        """Return the documented statuses."""
        return {int(status) for status in self.spec["responses"]}

    @property
    def body_type(self) -> str | None:
        """Return the media type of the request body, or None if the operation has no body."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return next(iter(content), None)

    def fill_path(self, value: object) -> str:
        """Return the path with `value` for each parameter."""
        return re.sub("{[^}]+}", str(value), self.path)

    def matches(self, response: Response) -> bool:
        """Return whether the response is to a request of this operation."""
        request = response.request
        path_pattern = self.fill_path("[^/]+")
        has_path = re.fullmatch(path_pattern, request.url.path.rstrip("/"))
        return request.method == self.method and bool(has_path)


def _operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, spec in methods.items():
            yield Operation(method.upper(), path, spec)


OPERATIONS = list(_operations())


async def assert_documented(response: Response) -> None:
    """Check that the document lists the status and the media type of a response.

    Ignores responses to operations that are not in the document. Does not read the body, which may
    be a stream without an end.
    """
    for operation in OPERATIONS:
        if operation.matches(response):
            assert response.status_code in operation.statuses, (
                f"{operation.name} responds with {response.status_code}, which it does not "
                "document: add it to `responses=error_responses(...)` of the route"
            )
            documented = operation.spec["responses"][str(response.status_code)]
            media_type = response.headers.get("Content-Type", "").partition(";")[0]
            # A `FileResponse` documents no media type.
            content = documented.get("content") or {media_type}
            assert not media_type or media_type in content, (
                f"{operation.name} responds with {media_type}, which it does not document: set "
                "`response_class` of the route"
            )
