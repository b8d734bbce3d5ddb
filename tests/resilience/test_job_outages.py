"""Rolling restarts, and restarts, outages and failovers of PostgreSQL, lose no job."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from uuid import uuid4

import asyncpg
import pytest
from conftest import Project
from httpx2 import AsyncClient, TransportError

from resilience import IS_LONG
from resilience.load import open_client
from resilience.postgres_server import PostgresServer, create_migrated_database
from resilience.replicas import dsn, primary, standby
from resilience.service_process import run_service
from resilience.test_database_outage import DatabaseSwitch
from resilience.worker_process import create_job_tables, run_workers, wait_for_jobs

CLIENTS = 4
OUTAGE = 10 if IS_LONG else 3
RESTARTS = 3 if IS_LONG else 1
SERVICE = {"application": "job_service:create_app", "SHUTDOWN_DELAY": "2"}


@dataclass
class Balancer:
    """A load balancer that sends requests to the services whose `/readyz` succeeds."""

    ready: list[AsyncClient] = field(default_factory=list)
    #: The statuses of the units, by slug.
    statuses: dict[str, int] = field(default_factory=dict)

    async def watch(self, client: AsyncClient) -> None:
        """Poll a service until cancelled."""
        while True:
            is_ready = False
            with suppress(TransportError):
                is_ready = (await client.get("/readyz")).is_success
            if is_ready is not (client in self.ready):
                (self.ready.append if is_ready else self.ready.remove)(client)
            await asyncio.sleep(0.1)

    async def send_units(self, is_over: asyncio.Event) -> None:
        """Create units until `is_over`. Their jobs take up to half a second."""
        while not is_over.is_set():
            slug = uuid4().hex
            unit = {"slug": slug, "duration": random.choice([0, 0.5])}
            client = random.choice(self.ready) if self.ready else None
            if client is not None:
                self.statuses[slug] = (await client.post("/units", json=unit)).status_code
            await asyncio.sleep(0.05)

    async def wait_for_success(self) -> None:
        """Wait until 50 more units have succeeded."""
        start, before = monotonic(), list(self.statuses.values()).count(201)
        async with asyncio.timeout(60):
            while list(self.statuses.values()).count(201) < before + 50:
                await asyncio.sleep(0.1)
        print(f"50 units succeed within {monotonic() - start:.1f} s")


@asynccontextmanager
async def balanced(
    balancer: Balancer, project: Project, url: str, log: Path
) -> AsyncIterator[None]:
    """Run a service behind the balancer. At the end, it shuts down while it is watched."""
    # The client remains open until the service has ended.
    stack = AsyncExitStack()
    service = await stack.enter_async_context(run_service(project, url, log, **SERVICE))
    async with open_client(service) as client:
        watching = asyncio.create_task(balancer.watch(client))
        try:
            async with asyncio.timeout(60):
                while client not in balancer.ready:
                    await asyncio.sleep(0.05)
            yield
        finally:
            await stack.aclose()
            watching.cancel()


@asynccontextmanager
async def load(balancer: Balancer) -> AsyncIterator[None]:
    """Send units in parallel until the block ends, and finish the last ones."""
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(balancer.send_units(is_over))
        try:
            yield
        finally:
            is_over.set()


async def assert_no_job_is_lost(superuser: asyncpg.Connection, balancer: Balancer) -> None:
    """Assert that the jobs of all stored units, and no others, have run."""
    await wait_for_jobs(superuser, {})
    rows = {row["slug"] for row in await superuser.fetch("SELECT slug FROM articles")}
    done = [row["key"] for row in await superuser.fetch("SELECT key FROM done")]
    runs = await superuser.fetchval("SELECT count(*) FROM runs")
    print(f"{Counter(balancer.statuses.values())}, {runs - len(done)} of {runs} runs repeated")
    assert sorted(done) == sorted(rows)
    assert not await superuser.fetch("SELECT key FROM orphans")
    assert {slug for slug, status in balancer.statuses.items() if status == 201} <= rows
    assert await superuser.fetchval("SELECT value FROM counter") == len(done)


@pytest.mark.thorough
async def test_rolling_restart_fails_no_request_and_loses_no_job(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    await create_job_tables(server, database)
    url, balancer, number = server.url(database), Balancer(), 0
    async with (
        server.superuser_connection(database) as superuser,
        run_workers(project, url, tmp_path, 2) as workers,
        AsyncExitStack() as last,
    ):
        old = await last.enter_async_context(AsyncExitStack())
        await old.enter_async_context(balanced(balancer, project, url, tmp_path / "log"))
        async with load(balancer):
            for _ in range(RESTARTS):
                number += 1
                new = await last.enter_async_context(AsyncExitStack())
                log = tmp_path / f"log-{number}"
                await new.enter_async_context(balanced(balancer, project, url, log))
                await old.aclose()
                old = new
                for worker in workers:
                    await worker.stop()
                    await worker.start()
                    await worker.wait_until_ready()
            await balancer.wait_for_success()
        await assert_no_job_is_lost(superuser, balancer)
        assert set(balancer.statuses.values()) == {201}


@pytest.mark.thorough
@pytest.mark.parametrize("seconds", [0, OUTAGE], ids=["restart", "outage"])
async def test_jobs_survive_an_outage_of_the_server(
    project: Project, tmp_path: Path, seconds: float
) -> None:
    switch = DatabaseSwitch(project, tmp_path / "postgres")
    server = await switch.start()
    database = await create_migrated_database(server, project)
    await create_job_tables(server, database)
    url, balancer = server.url(database), Balancer()
    async with (
        run_workers(project, url, tmp_path, 2) as workers,
        balanced(balancer, project, url, tmp_path / "log"),
    ):
        async with load(balancer):
            await balancer.wait_for_success()
            await switch.stop()
            await asyncio.sleep(seconds)
            await switch.start()
            await balancer.wait_for_success()
        async with server.superuser_connection(database) as superuser:
            await assert_no_job_is_lost(superuser, balancer)
        assert set(balancer.statuses.values()) <= {201, 503}
        for worker in workers:
            await worker.wait_until_ready()
    await switch.stop()


@pytest.mark.thorough
async def test_jobs_survive_a_failover(
    project: Project, socket_folder: Path, tmp_path: Path
) -> None:
    async with primary(project, socket_folder) as old:
        database = await create_migrated_database(old.server, project)
        await create_job_tables(old.server, database)
        async with standby(old) as new:
            url, balancer = dsn(database, old, new, attrs="read-write"), Balancer()
            async with (
                run_workers(project, url, tmp_path, 2),
                balanced(balancer, project, url, tmp_path / "log"),
            ):
                async with load(balancer):
                    await balancer.wait_for_success()
                    await old.stop(signal.SIGKILL)
                    await asyncio.sleep(OUTAGE)
                    await new.execute("SELECT pg_promote()")
                    await balancer.wait_for_success()
                async with new.server.superuser_connection(database) as superuser:
                    await assert_no_job_is_lost(superuser, balancer)
                assert set(balancer.statuses.values()) <= {201, 503}
