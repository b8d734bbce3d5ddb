"""The request ID and the access log."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.log_config import request_id

access_log = logging.getLogger("app.access")

_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestContextMiddleware:
    """Assigns the request ID and writes one access line per request.

    A valid `X-Request-ID` of the client is kept; otherwise the ID is random. The response returns
    it in the same header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        from_client = Headers(scope=scope).get("x-request-id", "")
        current_id = from_client if _VALID_REQUEST_ID.fullmatch(from_client) else uuid4().hex
        token = request_id.set(current_id)
        started_at = time.perf_counter()
        status = 500

        async def send_wrapper(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = current_id
            await send(message)

        try:
            await self.app(scope, receive, send_wrapper)
        finally:
            _log_access(scope, status, time.perf_counter() - started_at)
            request_id.reset(token)


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    fields = {
        "method": scope["method"],
        "route": _route_template(scope),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    access_log.info("%s %s %d %.1f ms", *fields.values(), extra=fields)


def _route_template(scope: Scope) -> str:
    """Return the path of the route, such as `/articles/{article_id}`, or "-" if none matched.

    The path of the request is never logged: it may contain secrets and line breaks.
    """
    # If routers are nested, only FastAPI's context has the path with all prefixes.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    template: str = getattr(route, "path", "-")
    return template
