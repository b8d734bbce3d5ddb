"""What happens to every request, around the routes.

Plain ASGI: a middleware on Starlette's `BaseHTTPMiddleware` runs the route in a task of its own,
where a cancelled client and a context variable behave differently.
"""

import asyncio
import logging
import re
import time
from uuid import uuid4

from fastapi.telemetry._asgi import ExceptionTelemetryMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problem_details import problem_response
from app.log_config import request_id

access_log = logging.getLogger("app.access")
logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestContextMiddleware:
    """Gives the request its id and writes one access line when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identifier = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        token = request_id.set(identifier)
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = identifier
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            method, route = scope["method"], _route_template(scope)
            access_log.info(
                "%s %s %d %.1f ms",
                method, route, status, milliseconds,
                extra={
                    "method": method, "route": route, "status": status, "duration_ms": milliseconds,
                },
            )  # fmt: skip
            request_id.reset(token)


def _route_template(scope: Scope) -> str:
    # Of a route in nested routers, only FastAPI's context has the prefixes. Nothing is taken from
    # the request's path, which may contain secrets and line breaks.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    template: str = getattr(route, "path", "-")
    return template


class UnhandledErrorMiddleware:
    """Answers 500 for what no handler knows.

    It stands inside CORS, so that a browser may read the answer, and does not raise further, so
    that the server keeps the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        # FastAPI's own is outside of this middleware, and would see only the response.
        self.app = ExceptionTelemetryMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def watched(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError as error:
            # With these words uvicorn gives up, at the end of a stop, on what takes too long.
            if has_started or "graceful shutdown" not in str(error):
                raise
            response = problem_response(
                scope, 503, "The service has stopped.", headers={"Retry-After": "1"}
            )
        except Exception:
            if has_started:
                raise
            logger.exception("Unhandled error")
            response = problem_response(
                scope, 500, "The service failed; the request id finds its log."
            )
        else:
            return
        await response(scope, receive, send)


class BodySizeLimitMiddleware:
    """Refuses a request body that is compressed or has more than `limit` bytes.

    What the headers announce is refused before the body is received: at the first `receive()` the
    server sends "100 Continue". `FastAPI(max_body_size=...)` answers in plain text.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        received: int | None = None

        async def limited() -> Message:
            nonlocal received
            if received is None:
                received = 0
                self._check_headers(Headers(scope=scope))
            message = await receive()
            received += len(message.get("body", b""))
            self._check_size(received)
            return message

        await self.app(scope, limited, send)

    def _check_headers(self, headers: Headers) -> None:
        size = headers.get("content-length", "")
        self._check_size(int(size) if size.isdecimal() else 0)
        has_body = size not in {"", "0"} or "transfer-encoding" in headers
        codings = ",".join(headers.getlist("content-encoding")).lower().split(",")
        if has_body and not {coding.strip() for coding in codings} <= {"", "identity"}:
            raise HTTPException(
                415, "The body must not be compressed.", headers={"Accept-Encoding": "identity"}
            )

    def _check_size(self, size: int) -> None:
        if size > self.limit:
            raise HTTPException(413, f"The body is larger than {self.limit} bytes.")


class RootPathMiddleware:
    """Adds the path prefix of a reverse proxy, unless the proxy has left it in the path.

    ASGI defines that `path` includes `root_path`, so that links are valid for the client.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope["root_path"] = self.root_path
            path = scope["path"]
            # A prefix `/api` cannot be told from that of the routes: add it always.
            if not path.startswith(self.root_path + "/") or path.startswith("/api/"):
                scope["path"] = self.root_path + path
        await self.app(scope, receive, send)


class TrailingSlashMiddleware:
    """Routes `/articles/` as `/articles`, which a redirect would answer with a second request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            scope["path"] = scope["path"].rstrip("/") or "/"
        await self.app(scope, receive, send)
