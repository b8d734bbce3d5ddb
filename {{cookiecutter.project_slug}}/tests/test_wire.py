"""HTTP behaviour that only uvicorn shows, with each of its HTTP parsers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from httpx2 import AsyncClient

from app.api.paths import location_of
from app.main import create_app
from app.settings import Settings

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with routes that read a body, fail, and set a `Location`."""
    app = create_app(settings)

    @app.post("/numbers")
    async def add(numbers: list[int]) -> int:
        return sum(numbers)

    @app.get("/failing")
    async def fail() -> None:
        raise RuntimeError

    @app.post("/owners/{owner}")
    async def create(owner: str, request: Request, response: Response) -> str:
        response.headers["Location"] = location_of(request.scope, owner)
        return owner

    return app


@pytest.fixture(params=["h11", "httptools"])
async def port(request: pytest.FixtureRequest, app: FastAPI) -> AsyncIterator[int]:
    """Serve the application in this process and yield the port."""
    config = uvicorn.Config(app, port=0, http=request.param, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await running


async def expect_continue(port: int, *headers: str, body: bytes = b"") -> bytes:
    """Send a request, and its body after "100 Continue"; return everything that is received."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = ["POST /numbers HTTP/1.1", "Host: test", "Expect: 100-continue", "Connection: close"]
    writer.write("\r\n".join([*lines, "Content-Type: application/json", *headers, "", ""]).encode())
    async with asyncio.timeout(10):
        received = await reader.readline()
        if received.startswith(b"HTTP/1.1 100"):
            writer.write(body)
        received += await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


async def test_continue_is_sent_for_accepted_headers(port: int) -> None:
    received = await expect_continue(port, "Content-Length: 6", body=b"[1, 2]")
    assert received.startswith(CONTINUE + b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\n3")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Content-Length: 1048577"], b"413"),
        (["Content-Length: 6", "Content-Encoding: gzip"], b"415"),
        (["Transfer-Encoding: chunked", "Content-Encoding: identity, br"], b"415"),
    ],
)
async def test_continue_is_not_sent_for_rejected_headers(
    port: int, headers: list[str], status: bytes
) -> None:
    received = await expect_continue(port, *headers)
    assert received.startswith(b"HTTP/1.1 " + status)
    assert b"application/problem+json" in received


async def test_unhandled_error_keeps_connection_open(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        writer.write(b"GET /failing HTTP/1.1\r\nHost: test\r\n\r\n")
        first = await reader.readuntil(b"}")
        writer.write(b"GET /failing HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        second = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert first.startswith(b"HTTP/1.1 500 ")
    assert second.startswith(b"HTTP/1.1 500 ")


async def test_line_break_in_path_does_not_split_header(port: int) -> None:
    async with AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        response = await client.post("/owners/%0d%0aX:%20y")
    assert response.json() == "\r\nX: y"
    assert response.headers["Location"] == "/owners/%0D%0AX:%20y/%0D%0AX:%20y"
    assert "X" not in response.headers
