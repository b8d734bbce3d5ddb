"""The service with a middleware that cancels requests: `x-cancel: task 5` cancels after 5 ms."""

import asyncio

from anyio import move_on_after
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.main import create_app as create_service


class CancellationMiddleware:
    """Cancellation at one `await`, as of an asyncio task, or at every one, as in an anyio scope."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = dict(scope.get("headers", ())).get(b"x-cancel")
        if header is None:
            await self.app(scope, receive, send)
            return
        kind, milliseconds = header.decode().split()
        has_started = False

        async def send_wrapper(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        if kind == "task":
            task = asyncio.ensure_future(self.app(scope, receive, send_wrapper))
            await asyncio.wait([task], timeout=float(milliseconds) / 1000)
            task.cancel()
            await asyncio.wait([task])
        else:
            with move_on_after(float(milliseconds) / 1000):
                await self.app(scope, receive, send_wrapper)
        if not has_started:
            await send({"type": "http.response.start", "status": 499, "headers": []})
            await send({"type": "http.response.body"})


def create_app() -> ASGIApp:
    """Create the application, for `uvicorn --factory`."""
    return CancellationMiddleware(create_service())
