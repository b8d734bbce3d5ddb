"""A stop loses no request: not ready first, no new connections later, answers until the end."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from httpx2 import AsyncClient, ConnectError

from app.log_config import request_id
from app.main import create_app
from app.settings import Settings
from app.shutdown import graceful_shutdown
from tests.databases import ROOT, address_in
from tests.service_settings import changed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(settings: Settings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--factory", "tests.slow_app:create_slow_app"),
        *("--port", str(port)),
        cwd=ROOT / "docs",
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": address_in(settings),
            "SHUTDOWN_DELAY": "1",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_it_answers(client: AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await client.get("/livez")
            except ConnectError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.slow
async def test_a_stop_lets_requests_end_and_turns_new_ones_away_in_time(settings: Settings) -> None:
    port = free_port()
    async with (
        serving(settings, port) as process,
        AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        await until_it_answers(client)
        first = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.1)
        process.terminate()
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).status_code == 200:
                pass
        # Long enough for a server that has no delay to close.
        await asyncio.sleep(0.3)
        last = asyncio.create_task(client.get("/slow"))
        assert [(await answer).json() for answer in (first, last)] == ["done", "done"]
        _, log = await process.communicate()
        with pytest.raises(ConnectError):
            await client.get("/livez")
    assert process.returncode in {0, -signal.SIGTERM}
    assert b"Traceback" not in log
    assert b"The service is stopping" not in log
    assert log.count(b"/readyz answers 503 from now on") == 1


async def test_the_signal_reaches_the_server_after_the_delay(settings: Settings) -> None:
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app))
    before = signal.signal(signal.SIGTERM, server.handle_exit)
    stopped: list[str] = []
    brief = changed(settings, shutdown_delay=0.2, shutdown_timeout=7).service
    try:
        with graceful_shutdown(brief, on_stop=lambda: stopped.append(request_id.get())):
            assert server.config.timeout_graceful_shutdown == 3
            token = request_id.set("of a request")
            signal.raise_signal(signal.SIGTERM)
            request_id.reset(token)
            for _ in range(3):
                await asyncio.sleep(0)
            assert (stopped, server.should_exit) == (["-"], False)
            await asyncio.sleep(0.3)
            assert server.should_exit
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_without_a_server_nothing_is_changed(settings: Settings) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with graceful_shutdown(settings.service, on_stop=lambda: None):
        assert signal.getsignal(signal.SIGTERM) is before
