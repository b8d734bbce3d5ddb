"""Middleware that gives each HTTP request an ID and logs one line about it."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.log_config import request_id_var

access_log = logging.getLogger("app.access")

# Safe in every log format and header: no spaces, line breaks or quotes, and a bounded length.
_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestContextMiddleware:
    """Assigns an ID to each request, and logs one line when the request ends.

    The ID is the client's `X-Request-ID` if that is valid, otherwise a random one. The response has
    the ID in the same header. WebSocket connections and lifespan events pass through unchanged.

    Install this as the outermost middleware, so that every log line and response has the ID.
    Exception: with DEBUG on, Starlette's `ServerErrorMiddleware`, which is always outside, writes
    the 500 response without the ID. With DEBUG off, `UnhandledErrorMiddleware` (inside this one)
    writes it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        token = request_id_var.set(request_id)
        try:
            await self._run_and_log(scope, receive, send, request_id)
        finally:
            request_id_var.reset(token)

    async def _run_and_log(
        self, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        started_at = time.perf_counter()
        # Until the response starts, assume 500: this status is logged if the application raises an
        # exception first. It is also intended for a cancelled request, which has no response. If
        # the application fails later, the status already sent is logged.
        status = 500

        async def send_wrapper(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # The key `headers` is optional in ASGI.
                message.setdefault("headers", [])
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_wrapper)
        finally:
            _log_access(scope, status, time.perf_counter() - started_at)


def _request_id(headers: Headers) -> str:
    """Return the request ID of the client if it is valid, otherwise a random one."""
    from_client = headers.get("x-request-id", "")
    return from_client if _VALID_REQUEST_ID.fullmatch(from_client) else uuid4().hex


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    fields = {
        "method": scope["method"],
        "route": _route_template(scope),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    # Passed twice: as arguments of the message, and as `extra` for the JSON format.
    access_log.info("%(method)s %(route)s %(status)d %(duration_ms).1f ms", fields, extra=fields)


def _route_template(scope: Scope) -> str:
    """Return the path of the route, such as `/articles/{article_id}`, or "-" if none matched.

    The path of the request is never logged: it may contain secrets and line breaks.
    """
    # For nested routers, `scope["route"].path` is only the innermost part. FastAPI stores the full
    # path in the undocumented `effective_route_context.path` (checked with 0.165). If that
    # disappears, the log has the partial path, and `tests/test_middleware.py` fails.
    effective_route = scope.get("fastapi", {}).get("effective_route_context")
    route = effective_route or scope.get("route")
    return str(getattr(route, "path", "-"))
