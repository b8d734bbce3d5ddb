"""The database stops and starts again; the service responds 503 in between and recovers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest
from conftest import Project

from resilience import IS_LONG
from resilience.continuous_load import ContinuousLoad, continuous_load
from resilience.load import assert_pool_is_complete, open_client
from resilience.postgres_server import PostgresServer, create_migrated_database, run_postgres
from resilience.service_process import run_service

SECONDS = 10 if IS_LONG else 2
POOL = 5


@dataclass
class DatabaseSwitch:
    """A PostgreSQL server that can be stopped and started again, with the same data and URL."""

    project: Project
    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)

    async def start(self) -> PostgresServer:
        server = run_postgres(self.project, self.folder)
        return await asyncio.to_thread(self.stack.enter_context, server)

    async def stop(self) -> None:
        await asyncio.to_thread(self.stack.close)


@pytest.fixture
async def switch(project: Project, tmp_path: Path) -> AsyncIterator[DatabaseSwitch]:
    switch = DatabaseSwitch(project, tmp_path / "postgres")
    yield switch
    await switch.stop()


async def assert_outage_and_recovery(switch: DatabaseSwitch, load: ContinuousLoad) -> None:
    """Assert that requests fail with 503 while the server is down, and then recover."""
    outage_start = monotonic()
    await asyncio.sleep(SECONDS)
    outage_end = monotonic()
    await switch.start()
    print(f"recovered after {await load.wait_for_recovery():.2f} s")

    during_outage = {
        (exchange.kind, exchange.status)
        for exchange in load.exchanges
        if outage_start < exchange.sent < exchange.received < outage_end
    }
    assert during_outage == {("read", 503), ("write", 503), ("/readyz", 503), ("/livez", 200)}


async def test_service_recovers_from_an_outage_without_restart(
    project: Project, switch: DatabaseSwitch, tmp_path: Path
) -> None:
    server = await switch.start()
    database = await create_migrated_database(server, project)
    pool = {"DB_POOL_MAX_SIZE": str(POOL)}
    async with (
        run_service(project, server.url(database), tmp_path / "log", **pool) as service,
        open_client(service) as client,
    ):
        async with continuous_load(client) as load:
            await asyncio.sleep(1)
            assert all(exchange.response.is_success for exchange in load.exchanges)
            await switch.stop()
            await assert_outage_and_recovery(switch, load)
        load.assert_only_503_errors()
        assert service.process.returncode is None
        await assert_pool_is_complete(client, server, database, POOL)


async def test_service_starts_while_the_database_is_down(
    project: Project, switch: DatabaseSwitch, tmp_path: Path
) -> None:
    server = await switch.start()
    database = await create_migrated_database(server, project)
    await switch.stop()
    async with (
        run_service(project, server.url(database), tmp_path / "log") as service,
        open_client(service) as client,
    ):
        async with continuous_load(client) as load:
            await assert_outage_and_recovery(switch, load)
        load.assert_only_503_errors()
