"""The service, which cancels those requests that ask for it: `x-cancel: task 5`, after 5 ms."""

import asyncio

from anyio import move_on_after
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.main import create_app as create_service


class Cancelling:
    """Cancels a request as asyncio does, once, or as a scope of anyio, at each further wait."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        order = dict(scope.get("headers", ())).get(b"x-cancel")
        if order is None:
            await self.app(scope, receive, send)
            return
        kind, milliseconds = order.decode().split()
        has_started = False

        async def watched(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        if kind == "task":
            task = asyncio.ensure_future(self.app(scope, receive, watched))
            await asyncio.wait([task], timeout=float(milliseconds) / 1000)
            task.cancel()
            await asyncio.wait([task])
        else:
            with move_on_after(float(milliseconds) / 1000):
                await self.app(scope, receive, watched)
        if not has_started:
            await send({"type": "http.response.start", "status": 499, "headers": []})
            await send({"type": "http.response.body"})


def create_app() -> ASGIApp:
    """For `uvicorn --factory`."""
    return Cancelling(create_service())
