"""SIGTERM under load: no request is lost, and the process exits in time."""

import asyncio
import signal
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest
from conftest import Project
from httpx2 import Response

from resilience.load import ARTICLES, create_coupon, lock_waiters, open_client
from resilience.postgres_server import PostgresServer
from resilience.service_process import ServiceProcess, run_service

DELAY = 2.0
TIMEOUT = 10.0
SETTINGS = {
    "SHUTDOWN_DELAY": str(DELAY),
    "SHUTDOWN_TIMEOUT": str(TIMEOUT),
    # Longer than the test: the slow requests wait for a table lock.
    "DB_LOCK_TIMEOUT": "60",
}
SLOW_REQUESTS = 3


async def first_refusal(service: ServiceProcess) -> float:
    """Connect repeatedly, and return the time of the first refused connection."""
    url = urlsplit(service.base_url)
    while True:
        try:
            _, writer = await asyncio.open_connection(url.hostname, url.port)
        except ConnectionRefusedError:
            return monotonic()
        writer.close()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("finish_in_time", [True, False], ids=["finish-in-time", "time-out"])
async def test_shutdown_loses_no_request_and_is_bounded(
    project: Project, server: PostgresServer, database: str, tmp_path: Path, *, finish_in_time: bool
) -> None:
    async with (
        run_service(project, server.url(database), tmp_path / "log", **SETTINGS) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        coupon = await create_coupon(client, 10_000)
        is_ready, statuses = True, []

        async def redeem() -> None:
            while is_ready:
                response = await client.post(f"{coupon}/redemptions")
                statuses.append(response.status_code)

        async with asyncio.TaskGroup() as group:
            lock = superuser.transaction()
            await lock.start()
            await superuser.execute("LOCK TABLE articles")
            slow = [asyncio.create_task(client.get(ARTICLES)) for _ in range(SLOW_REQUESTS)]
            for _ in range(5):
                group.create_task(redeem())
            while len(await lock_waiters(superuser)) < SLOW_REQUESTS:
                await asyncio.sleep(0.05)
            refused = group.create_task(first_refusal(service))

            signalled = monotonic()
            service.process.terminate()
            # Like a load balancer, poll readiness and stop sending requests when it fails.
            while is_ready:
                is_ready = (await client.get("/readyz")).is_success
            not_ready = monotonic() - signalled
            closed = await refused - signalled
            if finish_in_time:
                await lock.rollback()
            await service.process.wait()
            ended = monotonic() - signalled
            results = await asyncio.gather(*slow, return_exceptions=True)
            if not finish_in_time:
                await lock.rollback()
        # A request that exceeds the timeout gets 503, or its connection is closed.
        received = [result.status_code for result in results if isinstance(result, Response)]
        assert set(received) <= {200 if finish_in_time else 503}
        assert len(received) == SLOW_REQUESTS or not finish_in_time
        print(f"not ready {not_ready:.2f} s, closed {closed:.2f} s, ended {ended:.2f} s")
        assert set(statuses) == {201}
        assert not_ready < DELAY <= closed
        assert ended < DELAY + TIMEOUT
        assert service.process.returncode in {0, -signal.SIGTERM}
