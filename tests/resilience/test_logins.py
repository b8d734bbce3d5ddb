"""Concurrent logins with production hash parameters do not delay other requests."""

import asyncio
from pathlib import Path
from time import monotonic

import psutil
from conftest import Project

from resilience import IS_LONG
from resilience.accounts import create_user
from resilience.load import open_client
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service

LOGINS = 50 if IS_LONG else 20
AUTH = "/api/v1/auth"
USER = {"email": "ada@example.com", "password": "eight or more"}
MIB = 2**20
# 64 MiB for each of two hashing threads, and as much for the requests and the allocator.
MAX_GROWTH = 2 * 2 * 64 * MIB


async def test_concurrent_logins_do_not_delay_other_requests_or_exhaust_memory(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    async with (
        run_service(
            project, server.url(database), tmp_path / "log", AUTH_HASH_QUEUE=str(LOGINS)
        ) as service,
        open_client(service) as client,
    ):
        await create_user(project, server.url(database), USER["email"], USER["password"])
        process = psutil.Process(service.process.pid)
        before, most = process.memory_info().rss, 0
        form = {"username": USER["email"], "password": USER["password"]}
        began = monotonic()
        logins = asyncio.gather(*(client.post(f"{AUTH}/token", data=form) for _ in range(LOGINS)))
        waits: list[float] = []
        while not logins.done():
            sent = monotonic()
            assert (await client.get("/livez")).status_code == 200
            waits.append(monotonic() - sent)
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.01)
        took = monotonic() - began
        assert {response.status_code for response in await logins} == {200}
        print(
            f"{LOGINS} logins in {took:.1f} s; /livez requested {len(waits)} times,"
            f" {max(waits) * 1000:.0f} ms at most; {(most - before) / MIB:.0f} MiB more at most"
        )
        assert max(waits) < 1
        assert most - before < MAX_GROWTH
