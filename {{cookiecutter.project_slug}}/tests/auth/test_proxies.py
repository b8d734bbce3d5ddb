"""The address that failures count for, when the server runs behind a proxy."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from httpx2 import AsyncClient

from app.settings import Settings
from tests.auth.users import log_in
from tests.servers import ROOT


@asynccontextmanager
async def serving(settings: Settings, **variables: str) -> AsyncIterator[AsyncClient]:
    """A client of the service as the image runs it, on a port of its own."""
    assert settings.database.url is not None
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app"),
        *("--host", "127.0.0.1", "--port", "0", "--no-access-log"),
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": settings.database.url.get_secret_value(),
            **variables,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        async with asyncio.timeout(60):
            while not (found := re.search(rb"http://[0-9.:]+", await process.stderr.readline())):
                assert not process.stderr.at_eof()
        async with AsyncClient(base_url=found[0].decode()) as client:
            yield client
    finally:
        process.kill()
        await process.communicate()


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("trusted", "address"), [("127.0.0.1", "203.0.113.7"), ("10.0.0.0/8", "127.0.0.1")]
)
async def test_only_a_proxy_that_is_named_is_believed(
    settings: Settings, sql: asyncpg.Connection, trusted: str, address: str
) -> None:
    async with serving(settings, FORWARDED_ALLOW_IPS=trusted) as client:
        client.headers["X-Forwarded-For"] = "198.51.100.1, 203.0.113.7"
        assert (await log_in(client)).status_code == 401
    assert await sql.fetchval("SELECT address FROM login_failures") == address
