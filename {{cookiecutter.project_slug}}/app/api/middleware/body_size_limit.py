"""Middleware that limits the size of request bodies and rejects compressed ones."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodySizeLimitMiddleware:
    """Rejects request bodies that are larger than `limit` bytes (413) or compressed (415).

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

        async def receive_wrapper() -> Message:
            nonlocal headers_checked, received
            if not headers_checked:
                headers_checked = True
                # Before `receive()`, because that call makes the server request a body that the
                # client has announced with `Expect: 100-continue`.
                self._check_headers(Headers(scope=scope))
            message = await receive()
            # Without `Content-Length`, the size of a body is known only as the body arrives.
            received += len(message.get("body", b""))
            self._check_size(received)
            return message

        await self.app(scope, receive_wrapper, send)

    def _check_headers(self, headers: Headers) -> None:
        length = headers.get("content-length", "")
        self._check_size(int(length) if length.isdecimal() else 0)
        has_body = length not in {"", "0"} or "transfer-encoding" in headers
        codings = ",".join(headers.getlist("content-encoding")).lower().split(",")
        if has_body and not {coding.strip() for coding in codings} <= {"", "identity"}:
            raise HTTPException(
                415, "The body must not be compressed.", headers={"Accept-Encoding": "identity"}
            )

    def _check_size(self, size: int) -> None:
        if size > self.limit:
            raise HTTPException(413, f"The body is larger than {self.limit} bytes.")
