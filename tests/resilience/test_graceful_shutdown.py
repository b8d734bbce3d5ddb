"""SIGTERM under load: no request is lost, and the end comes in time."""

import asyncio
import signal
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest
from conftest import Project
from httpx2 import Response

from resilience.load import ARTICLES, client_of, control, create_coupon, waiting
from resilience.service_process import Server, Service, serving

DELAY = 2.0
TIMEOUT = 10.0
SETTINGS = {
    "SHUTDOWN_DELAY": str(DELAY),
    "SHUTDOWN_TIMEOUT": str(TIMEOUT),
    # Long enough to be slow.
    "DB_LOCK_TIMEOUT": "60",
}
SLOW = 3


async def refused_at(service: Service) -> float:
    """When the first connection was refused."""
    address = urlsplit(service.address)
    while True:
        try:
            _, writer = await asyncio.open_connection(address.hostname, address.port)
        except ConnectionRefusedError:
            return monotonic()
        writer.close()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("ends_in_time", [True, False], ids=["quick-enough", "too-slow"])
async def test_a_stop_loses_no_request_and_is_bounded(
    project: Project, server: Server, database: str, tmp_path: Path, *, ends_in_time: bool
) -> None:
    async with (
        serving(project, server.url(database), tmp_path / "log", **SETTINGS) as service,
        client_of(service) as client,
        control(server, database) as connection,
    ):
        coupon = await create_coupon(client, 10_000)
        is_ready, statuses = True, []

        async def load() -> None:
            while is_ready:
                answer = await client.post(f"{coupon}/redemptions")
                statuses.append(answer.status_code)

        async with asyncio.TaskGroup() as group:
            lock = connection.transaction()
            await lock.start()
            await connection.execute("LOCK TABLE articles")
            slow = [asyncio.create_task(client.get(ARTICLES)) for _ in range(SLOW)]
            for _ in range(5):
                group.create_task(load())
            while len(await waiting(connection)) < SLOW:
                await asyncio.sleep(0.05)
            refused = group.create_task(refused_at(service))

            stopping = monotonic()
            service.process.terminate()
            # As a load balancer does: it asks, and goes elsewhere when it is told so.
            while is_ready:
                is_ready = (await client.get("/readyz")).is_success
            noticed = monotonic() - stopping
            turned_away = await refused - stopping
            if ends_in_time:
                await lock.rollback()
            await service.process.wait()
            ended = monotonic() - stopping
            answers = await asyncio.gather(*slow, return_exceptions=True)
            if not ends_in_time:
                await lock.rollback()
        # Whoever has waited too long may be hung up on; who is answered, is told to come again.
        received = [answer.status_code for answer in answers if isinstance(answer, Response)]
        assert set(received) <= {200 if ends_in_time else 503}
        assert len(received) == SLOW or not ends_in_time
        print(f"not ready {noticed:.2f} s, closed {turned_away:.2f} s, ended {ended:.2f} s")
        assert set(statuses) == {201}
        assert noticed < DELAY <= turned_away
        assert ended < DELAY + TIMEOUT
        assert service.process.returncode in {0, -signal.SIGTERM}
