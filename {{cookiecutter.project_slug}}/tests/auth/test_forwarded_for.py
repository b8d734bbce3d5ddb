"""The client IP behind a reverse proxy."""

import asyncpg
import pytest
import uvicorn
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from app.db import Database
from tests.auth.helpers import log_in


@pytest.mark.parametrize(
    ("trusted", "client_ip"), [("127.0.0.1", "203.0.113.7"), ("10.0.0.0/8", "127.0.0.1")]
)
async def test_only_trusted_proxy_sets_the_client_ip(
    app: FastAPI,
    clean_database: Database,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    trusted: str,
    client_ip: str,
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    app.state.database = clean_database
    server = uvicorn.Config(app, log_config=None)
    server.load()
    async with AsyncClient(
        transport=ASGITransport(server.loaded_app, client=("127.0.0.1", 1)),
        base_url="http://test",
        headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"},
    ) as client:
        assert (await log_in(client)).status_code == 401
    assert await sql.fetchval("SELECT address FROM login_failures") == client_ip
