"""The clients of the tests: streams, deadlines, exceptions, and the live server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import Depends, FastAPI
from fastapi.sse import EventSourceResponse
from httpx2 import AsyncClient

from app.main import create_app
from app.settings import Settings
from tests import in_process


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with a stream that has no end."""
    app = create_app(settings)
    app.state.closed = asyncio.Event()

    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            app.state.closed.set()

    @app.get("/events", response_class=EventSourceResponse, dependencies=[Depends(resource)])
    async def watch() -> AsyncIterator[int]:
        while True:
            yield 1
            await asyncio.sleep(0.01)

    @app.get("/failing")
    async def fail() -> None:
        raise ZeroDivisionError

    return app


async def test_client_streams_endless_response(client: AsyncClient, app: FastAPI) -> None:
    async with client.stream("GET", "/events") as response:
        lines = response.aiter_lines()
        assert [await anext(lines) for _ in range(3)] == ["data: 1", "", "data: 1"]
    assert app.state.closed.is_set()


async def test_deadline_names_request(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "DEADLINE", 0.1)
    with pytest.raises(TimeoutError, match=r"GET /events did not end .+ `client.stream`"):
        await client.get("/events")


async def test_response_to_error_is_complete(client: AsyncClient) -> None:
    assert (await client.get("/failing")).json()["status"] == 500


async def test_live_server_streams_endless_response(live_server: str, app: FastAPI) -> None:
    app.state.closed.clear()
    async with AsyncClient(base_url=live_server) as client:
        async with client.stream("GET", "/events") as response:
            assert await anext(response.aiter_lines()) == "data: 1"
        async with asyncio.timeout(60):
            await app.state.closed.wait()
