"""A transport that sends requests to the application in this process, and streams the responses.

httpx's own `ASGITransport` returns a response when it is complete. A response without an end, such
as server-sent events, would never return.
"""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from fastapi import FastAPI
from httpx2 import AsyncBaseTransport, AsyncByteStream, Request, Response

#: Seconds until a response must be complete, or closed by the client.
DEADLINE = 60


class InProcessTransport(AsyncBaseTransport):
    """Transport of an `httpx2.AsyncClient` that calls the application directly."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def handle_async_request(self, request: Request) -> Response:
        """Run the request in a task, and return the response when it starts.

        Raises the exception of the application, and `TimeoutError` after the deadline.
        """
        exchange = _Exchange(self.app, request, await request.aread())
        try:
            start = await exchange.next_message()
        except BaseException:
            await exchange.aclose()
            raise
        return Response(start["status"], headers=start.get("headers", []), stream=exchange)


class _Exchange(AsyncByteStream):
    """A request that is running, and the body of its response."""

    def __init__(self, app: FastAPI, request: Request, body: bytes) -> None:
        self._request = request
        self._deadline = asyncio.get_running_loop().time() + DEADLINE
        self._requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._requests.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self._responses: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(app))

    async def _run(self, app: FastAPI) -> None:
        url = self._request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 123),
            "root_path": "",
        }
        try:
            await app(scope, self._requests.get, self._responses.put)
        finally:
            self._responses.put_nowait({"type": "end"})

    async def next_message(self) -> MutableMapping[str, Any]:
        """Return the next message of the response.

        Raises the exception of the application, and `TimeoutError` after the deadline.
        """
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._responses.get()
        except TimeoutError:
            raise TimeoutError(
                f"{self._request.method} {self._request.url.path} did not end within {DEADLINE} "
                "seconds. Read an endless response with `client.stream`."
            ) from None
        if message["type"] == "end":
            await self._task
            raise AssertionError("The application did not complete its response.")
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        is_complete = False
        while not is_complete:
            message = await self.next_message()
            is_complete = not message.get("more_body", False)
            if (part := message.get("body", b"")) and self._request.method != "HEAD":
                yield part
        self._requests.put_nowait({"type": "http.disconnect"})
        # The background tasks of the response belong to the request.
        await self._task

    async def aclose(self) -> None:
        """Disconnect as a client does, and end the request."""
        self._task.cancel()
        await asyncio.wait({self._task})
