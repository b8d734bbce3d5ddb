"""The connection to the client of the current request, to notice that the client disconnects.

ASGI reports a disconnect only to a caller of `receive`. The middleware makes `receive` available to
code that waits for a long time, so that ordinary requests need no task that listens.
"""

from contextvars import ContextVar

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

#: `receive` of the current request, or None in commands and jobs.
current_receive: ContextVar[Receive | None] = ContextVar("current_receive", default=None)


class ClientConnectionMiddleware:
    """Sets `current_receive`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = current_receive.set(receive)
        try:
            await self.app(scope, receive, send)
        finally:
            current_receive.reset(token)


async def has_disconnected(receive: Receive) -> bool:
    """Return whether the client has disconnected. The body of the request must have been read."""
    return await Request({"type": "http"}, receive).is_disconnected()


async def wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client disconnects. The body of the request must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
