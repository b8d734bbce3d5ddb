"""Every error response is an RFC 9457 problem with a request ID, and contains no secrets."""

import asyncio
import logging
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from app.errors import UnavailableError
from app.main import create_app
from app.settings import Settings
from tests.service_settings import changed

SECRET = "must-not-appear-in-responses"


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with routes that validate values, and one that fails."""
    app = create_app(changed(settings, cors_origins=("https://a.example",)))

    @app.get("/things/{number}")
    async def get_thing(number: int) -> int:
        return number

    @app.put("/things/{number}")
    async def put_thing(number: int, body: Annotated[dict[str, int], Body()]) -> int:
        return number + len(body)

    @app.get("/failing")
    async def fail() -> None:
        raise RuntimeError(SECRET)

    return app


def assert_problem(response: Response, status: int, **members: Any) -> None:
    """Check that a response is a problem with these members, such as `title`."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert problem["instance"] == response.request.url.path
    assert {"type", "title", "detail"} <= problem.keys()
    assert members.items() <= problem.items()
    assert SECRET not in response.text


async def test_unknown_path_is_404(client: AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, type="about:blank", title="Not Found")


async def test_unsupported_method_is_405_with_allow_header(client: AsyncClient) -> None:
    response = await client.delete("/things/1")
    assert_problem(response, 405, title="Method Not Allowed")
    assert response.headers["Allow"] == "GET, PUT"


async def test_validation_error_names_field_but_not_value(client: AsyncClient) -> None:
    response = await client.put("/things/1", json={"name": SECRET})
    assert_problem(response, 422, title="Unprocessable Content")
    (error,) = response.json()["errors"]
    assert error["loc"] == ["body", "name"]
    assert error["type"] == "int_parsing"
    assert error.keys() == {"loc", "type", "msg"}


async def test_validation_errors_are_limited_to_50(client: AsyncClient) -> None:
    response = await client.put("/things/1", json=dict.fromkeys(map(str, range(10_000)), SECRET))
    assert_problem(response, 422)
    assert [error["loc"][1] for error in response.json()["errors"]] == [*map(str, range(50))]


async def test_malformed_json_is_422(client: AsyncClient) -> None:
    response = await client.put(
        "/things/1", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert_problem(response, 422)


async def test_field_name_with_lone_surrogate_is_422(client: AsyncClient) -> None:
    response = await client.put(
        "/things/1", content=rb'{"\ud800": "x"}', headers={"Content-Type": "application/json"}
    )
    assert_problem(response, 422)


async def test_too_large_body_is_413(settings: Settings, client: AsyncClient) -> None:
    content = b" " * (settings.service.max_body_size + 1)
    assert_problem(await client.put("/things/1", content=content), 413, title="Content Too Large")


async def test_too_large_body_without_content_length_is_413(
    settings: Settings, client: AsyncClient
) -> None:
    async def chunks() -> Any:
        for _ in range(settings.service.max_body_size // 65_536 + 1):
            yield b" " * 65_536

    assert_problem(await client.put("/things/1", content=chunks()), 413)


async def test_unhandled_error_is_500_with_cors_headers(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await client.get("/failing", headers={"Origin": "https://a.example"})
    assert_problem(response, 500)
    assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert SECRET in caplog.text


async def test_type_of_cause_is_logged_without_its_message(
    app: FastAPI, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/unavailable")
    async def fail_with_cause() -> None:
        raise UnavailableError("Not now.") from ValueError(SECRET)

    assert_problem(await client.get("/unavailable"), 503, detail="Not now.")
    assert "Not now. (ValueError)" in caplog.text
    assert SECRET not in caplog.text


async def test_error_without_cause_is_logged(
    app: FastAPI, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/busy")
    async def fail_without_cause() -> None:
        raise UnavailableError("Busy.")

    assert_problem(await client.get("/busy"), 503, detail="Busy.")
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "Busy."
    ]


async def test_request_cancelled_by_shutdown_is_503(app: FastAPI) -> None:
    is_running = asyncio.Event()

    @app.get("/endless")
    async def wait() -> None:
        is_running.set()
        await asyncio.sleep(60)

    # This transport runs the application in the task of the request.
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        request = asyncio.create_task(client.get("/endless"))
        await is_running.wait()
        # uvicorn cancels requests with this message.
        request.cancel("Task cancelled, timeout graceful shutdown exceeded")
        response = await request
    assert_problem(response, 503)
    assert response.headers["Retry-After"] == "1"


async def test_debug_mode_responds_with_traceback(settings: Settings) -> None:
    app = create_app(changed(settings, debug=True))

    @app.get("/failing")
    async def fail() -> None:
        raise RuntimeError(SECRET)

    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get("/failing")
    assert response.status_code == 500
    assert SECRET in response.text


async def test_openapi_has_one_schema_for_all_errors(app: FastAPI) -> None:
    document = app.openapi()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    responses = document["paths"]["/things/{number}"]["put"]["responses"]
    assert responses.keys() == {"200", "400", "413", "415", "422", "500"}
    for status in ("400", "413", "415", "422", "500"):
        assert responses[status]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    assert app.openapi() == document
