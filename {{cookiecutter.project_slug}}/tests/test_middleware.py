"""What every request gets: an id, an access line, an answer with and without a last slash."""

import logging
import re
from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message

from app.main import create_app
from app.settings import Settings
from tests.service_settings import changed


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """The application, to which tests add routes."""
    return create_app(settings)


async def test_a_request_id_is_made(client: AsyncClient) -> None:
    first, second = [(await client.get("/livez")).headers["X-Request-ID"] for _ in range(2)]
    assert first != second


async def test_a_sane_request_id_is_kept(client: AsyncClient) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": "trace-1.a_B"})
    assert response.headers["X-Request-ID"] == "trace-1.a_B"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "<script>"])
async def test_any_other_request_id_is_replaced(client: AsyncClient, given: str) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] not in {"", given}


async def test_an_access_line_names_the_route_and_not_the_address(
    client: AsyncClient, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/things/{number}")
    async def get_thing(number: int) -> int:
        return number

    with caplog.at_level(logging.INFO, "app.access"):
        await client.get("/things/7")
        await client.get("/nowhere")
    known, unknown = (vars(record) for record in caplog.records if record.name == "app.access")
    assert (known["method"], known["route"], known["status"]) == ("GET", "/things/{number}", 200)
    assert known["duration_ms"] >= 0
    assert (unknown["route"], unknown["status"]) == ("-", 404)


async def test_an_access_line_contains_nothing_of_the_path(
    client: AsyncClient, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    inner, outer = APIRouter(), APIRouter()

    @inner.get("/{name:path}")
    async def get_file(folder: str, name: str) -> str:
        return folder + name

    outer.include_router(inner, prefix="/{folder}")
    app.include_router(outer, prefix="/files")
    with caplog.at_level(logging.INFO, "app.access"):
        await client.get("/files/%0d%0aINFO%20forged/a/b")
    (record,) = (vars(record) for record in caplog.records if record.name == "app.access")
    assert record["route"] == "/files/{folder}/{name:path}"
    assert record["message"].startswith("GET /files/{folder}/{name:path} 200 ")


async def test_a_last_slash_changes_nothing(client: AsyncClient) -> None:
    with_slash, without = await client.get("/livez/"), await client.get("/livez")
    assert (with_slash.status_code, with_slash.content) == (200, without.content)


async def test_other_origins_are_told_nothing_unless_they_are_named(client: AsyncClient) -> None:
    response = await client.get("/livez", headers={"Origin": "https://a.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_page_of_a_named_origin_may_send_and_read_these_headers(settings: Settings) -> None:
    app = create_app(changed(settings, cors_origins=("https://a.example",)))
    origin = {"Origin": "https://a.example"}
    names = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
    ask = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": names}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        preflight = await client.options("/livez", headers=origin | ask)
        response = await client.get("/livez", headers=origin)
    assert preflight.status_code == 200
    exposed = response.headers["Access-Control-Expose-Headers"]
    assert exposed == "ETag, Link, Location, Retry-After, X-Request-ID"


async def test_the_headers_of_other_origins_are_settings(settings: Settings) -> None:
    lists = {"cors_allow_headers": ("X-Tenant",), "cors_expose_headers": ("X-Total",)}
    app = create_app(changed(settings, cors_origins=("https://a.example",), **lists))
    ask = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        for name, status in (("X-Tenant", 200), ("If-Match", 400)):
            headers = ask | {"Access-Control-Request-Headers": name}
            assert (await client.options("/livez", headers=headers)).status_code == status
        response = await client.get("/livez", headers=ask)
    assert response.headers["Access-Control-Expose-Headers"] == "X-Total"


@pytest.mark.parametrize(("enabled", "status"), [(True, 200), (False, 404)])
async def test_the_documentation_can_be_switched_off(
    settings: Settings, enabled: bool, status: int
) -> None:
    app = create_app(changed(settings, docs_enabled=enabled))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        for path in ("/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == status


async def test_the_documentation_page_needs_no_other_host(client: AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "http" not in page
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) == 3
    for source in sources:
        assert (await client.get(source)).status_code == 200, source


async def test_the_application_starts_and_stops_as_a_server_has_it(app: FastAPI) -> None:
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(received)

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "lifespan", "state": {}}, receive, send)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_an_answer_that_breaks_off_is_not_called_complete(
    client: AsyncClient, app: FastAPI
) -> None:
    async def half() -> AsyncIterator[str]:
        yield "half of it"
        raise ZeroDivisionError

    @app.get("/half")
    async def stream() -> StreamingResponse:
        return StreamingResponse(half())

    with pytest.raises(ZeroDivisionError):
        await client.get("/half")
