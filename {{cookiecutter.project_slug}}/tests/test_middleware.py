"""Middleware: request ID, access log, CORS and trailing slash. Also the lifespan."""

import logging
from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import StreamingResponse
from httpx2 import ASGITransport, AsyncClient
from starlette.types import Message

from app.api.middleware.body_size_limit import body_size_limit
from app.main import create_app
from app.settings import Settings
from tests.service_settings import changed

ORIGIN = {"Origin": "https://a.example"}


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application to which tests add routes."""
    return create_app(settings)


async def test_request_id_is_generated(client: AsyncClient) -> None:
    first, second = [(await client.get("/livez")).headers["X-Request-ID"] for _ in range(2)]
    assert first != second


async def test_valid_request_id_is_kept(client: AsyncClient) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": "trace-1.a_B"})
    assert response.headers["X-Request-ID"] == "trace-1.a_B"


@pytest.mark.parametrize("invalid", ["", "a b", "x" * 129, "a\tb", "<script>"])
async def test_invalid_request_id_is_replaced(client: AsyncClient, invalid: str) -> None:
    response = await client.get("/livez", headers={"X-Request-ID": invalid})
    assert response.headers["X-Request-ID"] not in {"", invalid}


async def test_access_line_has_route_template(
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


async def test_access_line_does_not_contain_request_path(
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


async def test_trailing_slash_is_ignored(client: AsyncClient) -> None:
    with_slash, without_slash = await client.get("/livez/"), await client.get("/livez")
    assert with_slash.status_code == 200
    assert with_slash.content == without_slash.content


async def test_cors_is_off_by_default(client: AsyncClient) -> None:
    response = await client.get("/livez", headers=ORIGIN)
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_allowed_origin_may_send_and_read_default_headers(settings: Settings) -> None:
    app = create_app(changed(settings, cors_origins=("https://a.example",)))
    names = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID"
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": names}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        preflight = await client.options("/livez", headers=ORIGIN | asked)
        response = await client.get("/livez", headers=ORIGIN)
    assert preflight.status_code == 200
    exposed = response.headers["Access-Control-Expose-Headers"]
    assert exposed == "ETag, Link, Location, Retry-After, X-Request-ID"


async def test_cors_headers_are_configurable(settings: Settings) -> None:
    lists = {"cors_allow_headers": ("X-Tenant",), "cors_expose_headers": ("X-Total",)}
    app = create_app(changed(settings, cors_origins=("https://a.example",), **lists))
    asked = ORIGIN | {"Access-Control-Request-Method": "GET"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        for name, status in (("X-Tenant", 200), ("If-Match", 400)):
            headers = asked | {"Access-Control-Request-Headers": name}
            assert (await client.options("/livez", headers=headers)).status_code == status
        response = await client.get("/livez", headers=ORIGIN)
    assert response.headers["Access-Control-Expose-Headers"] == "X-Total"


async def test_wildcard_origin_does_not_allow_credentials(settings: Settings) -> None:
    app = create_app(changed(settings, cors_origins=("*",)))
    headers = ORIGIN | {"Cookie": "a=b"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        response = await client.get("/livez", headers=headers)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


async def test_lifespan_starts_and_stops(app: FastAPI) -> None:
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


async def test_error_after_start_of_response_is_raised(client: AsyncClient, app: FastAPI) -> None:
    async def first_half() -> AsyncIterator[str]:
        yield "first half"
        raise ZeroDivisionError

    @app.get("/half")
    async def stream() -> StreamingResponse:
        return StreamingResponse(first_half())

    # uvicorn then closes the connection, so that the client notices the incomplete response.
    with pytest.raises(ZeroDivisionError):
        await client.get("/half")


@pytest.mark.parametrize("has_length", [True, False])
async def test_route_has_its_own_body_size_limit(
    app: FastAPI, client: AsyncClient, settings: Settings, *, has_length: bool
) -> None:
    limit = settings.service.max_body_size + 1

    @app.put("/upload")
    @body_size_limit(limit)
    async def upload(request: Request) -> int:
        return len(await request.body())

    async def status_of(size: int) -> int:
        request = client.build_request("PUT", "/upload/", content=bytes(size))
        if not has_length:
            del request.headers["Content-Length"]
        return (await client.send(request)).status_code

    assert [await status_of(size) for size in (limit, limit + 1)] == [200, 413]
