"""Middleware that limits the size of request bodies and rejects compressed ones."""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])

_ATTRIBUTE = "body_size_limit"


def body_size_limit(limit: int) -> Callable[[EndpointT], EndpointT]:
    """Decorate a route function whose request bodies have another limit, in bytes.

    Write it below the decorator of the route.
    """

    def set_limit(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _ATTRIBUTE, limit)
        return endpoint

    return set_limit


class BodySizeLimitMiddleware:
    """Rejects request bodies that are larger than `limit` bytes (413) or compressed (415).

    A route with `body_size_limit` has its limit instead.

    Compressed bodies are rejected, because a small one can expand to any size. The errors are
    raised inside `receive()`, so that they reach the exception handlers of the application.
    `FastAPI(max_body_size=...)` is not used, because its error response is plain text.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers_checked = False
        received = 0
        limit = self.limit

        async def receive_wrapper() -> Message:
            nonlocal headers_checked, received, limit
            if not headers_checked:
                headers_checked = True
                # Starlette has set the endpoint, since a body is read after the routing.
                limit = getattr(scope.get("endpoint"), _ATTRIBUTE, limit)
                # Before `receive()`, because that call makes the server request a body that the
                # client has announced with `Expect: 100-continue`.
                _check_headers(Headers(scope=scope), limit)
            message = await receive()
            # Without `Content-Length`, the size of a body is known only as the body arrives.
            received += len(message.get("body", b""))
            _check_size(received, limit)
            return message

        await self.app(scope, receive_wrapper, send)


def _check_headers(headers: Headers, limit: int) -> None:
    length = headers.get("content-length", "")
    _check_size(int(length) if length.isdecimal() else 0, limit)
    has_body = length not in {"", "0"} or "transfer-encoding" in headers
    codings = ",".join(headers.getlist("content-encoding")).lower().split(",")
    if has_body and not {coding.strip() for coding in codings} <= {"", "identity"}:
        raise HTTPException(
            415, "The body must not be compressed.", headers={"Accept-Encoding": "identity"}
        )


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise HTTPException(413, f"The body is larger than {limit} bytes.")
