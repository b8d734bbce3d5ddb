"""The telemetry of FastAPI records unhandled errors, which get the usual response."""

from unittest.mock import MagicMock

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.main import create_app
from app.settings import Settings
from tests.service_settings import changed


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with a route that fails."""
    app = create_app(changed(settings, cors_origins=("https://a.example",)))

    @app.get("/failing")
    async def fail() -> None:
        raise ZeroDivisionError

    return app


async def test_unhandled_error_is_recorded_and_returned_as_problem(
    app: FastAPI, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracing, logging = MagicMock(), MagicMock()
    monkeypatch.setitem(app._telemetry, "tracer_provider", tracing)
    monkeypatch.setitem(app._telemetry, "logger_provider", logging)
    response = await client.get("/failing", headers={"Origin": "https://a.example"})

    span = tracing.get_tracer.return_value.start_span.return_value
    assert span.set_attributes.call_args.args[0]["error.type"] == "ZeroDivisionError"
    (record,) = logging.get_logger.return_value.emit.call_args_list
    assert isinstance(record.kwargs["exception"], ZeroDivisionError)

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert response.json()["request_id"] == response.headers["X-Request-ID"]
