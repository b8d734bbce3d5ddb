"""Graceful shutdown completes all requests that arrive before the end of the drain delay."""

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

from app.log_config import request_id_var
from app.main import create_app
from app.settings import Settings
from app.shutdown import graceful_shutdown
from tests.databases import ROOT, url_from
from tests.service_settings import changed
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to handle")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving(settings: Settings, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start uvicorn with the slow application and a drain delay of one second."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--factory", "tests.slow_app:create_slow_app"),
        *("--port", str(port)),
        cwd=ROOT / "docs",
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": url_from(settings),
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


async def wait_until_live(client: AsyncClient) -> None:
    async def is_live() -> bool:
        try:
            return (await client.get("/livez")).is_success
        except ConnectError:
            return False

    await wait_until(is_live)


async def wait_until_not_ready(client: AsyncClient) -> None:
    async def is_not_ready() -> bool:
        return (await client.get("/readyz")).status_code == 503

    await wait_until(is_not_ready)


@pytest.mark.slow
async def test_requests_before_and_during_drain_are_completed(settings: Settings) -> None:
    port = free_port()
    async with (
        serving(settings, port) as process,
        AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        await wait_until_live(client)
        before = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.1)
        process.terminate()
        await wait_until_not_ready(client)
        # By now, uvicorn without a drain delay would have closed its port.
        await asyncio.sleep(0.3)
        during = asyncio.create_task(client.get("/slow"))
        assert [(await response).json() for response in (before, during)] == ["done", "done"]
        _, log = await process.communicate()
        with pytest.raises(ConnectError):
            await client.get("/livez")
    assert process.returncode in {0, -signal.SIGTERM}
    assert b"Traceback" not in log
    assert b"The service is shutting down" not in log
    assert log.count(b"/readyz responds with 503 from now on") == 1


async def test_uvicorn_handles_sigterm_after_delay(settings: Settings) -> None:
    server = uvicorn.Server(uvicorn.Config(create_app(settings)))
    original = signal.signal(signal.SIGTERM, server.handle_exit)
    service = changed(settings, shutdown_delay=0.2, shutdown_timeout=9).service
    # The request ID in log lines of the shutdown, for each call of `on_drain`.
    drains: list[str] = []
    try:
        with graceful_shutdown(service, on_drain=lambda: drains.append(request_id_var.get())):
            # 9 s, minus the 6 s that are reserved for the components and the pools.
            assert server.config.timeout_graceful_shutdown == 3
            token = request_id_var.set("interrupted-request")
            signal.raise_signal(signal.SIGTERM)
            request_id_var.reset(token)
            # The signal handler schedules a callback of the event loop.
            for _ in range(3):
                await asyncio.sleep(0)
            assert drains == ["-"]
            assert not server.should_exit
            await asyncio.sleep(0.3)
            assert server.should_exit
    finally:
        signal.signal(signal.SIGTERM, original)


async def test_process_stops_even_if_drain_callback_fails(settings: Settings) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    server = uvicorn.Server(uvicorn.Config(create_app(settings)))
    original = signal.signal(signal.SIGTERM, server.handle_exit)
    errors: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))
    try:
        with graceful_shutdown(settings.service, on_drain=fail):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
    finally:
        loop.set_exception_handler(None)
        signal.signal(signal.SIGTERM, original)
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert server.should_exit


async def test_signal_handler_is_kept_without_uvicorn(settings: Settings) -> None:
    original = signal.getsignal(signal.SIGTERM)
    with graceful_shutdown(settings.service, on_drain=lambda: None):
        assert signal.getsignal(signal.SIGTERM) is original
