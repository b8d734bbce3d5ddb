"""Many logins at once, with the parameters of production: slow, but for nobody else."""

import asyncio
from pathlib import Path
from time import monotonic

import psutil
from conftest import Project

from resilience.load import client_of
from resilience.service_process import Server, serving

LOGINS = 50
AUTH = "/api/v1/auth"
USER = {"email": "ada@example.com", "password": "eight or more"}
MIB = 2**20
# What two threads work on, and as much again for 50 requests and what the allocator keeps.
MEMORY = 2 * 2 * 64 * MIB


async def test_many_logins_at_once_leave_time_and_memory_to_others(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    async with (
        serving(project, server.url(database), tmp_path / "log") as service,
        client_of(service) as client,
    ):
        assert (await client.post(f"{AUTH}/register", json=USER)).status_code == 201
        process = psutil.Process(service.process.pid)
        before, most = process.memory_info().rss, 0
        form = {"username": USER["email"], "password": USER["password"]}
        began = monotonic()
        logins = asyncio.gather(*(client.post(f"{AUTH}/token", data=form) for _ in range(LOGINS)))
        waits: list[float] = []
        while not logins.done():
            asked = monotonic()
            assert (await client.get("/livez")).status_code == 200
            waits.append(monotonic() - asked)
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.01)
        took = monotonic() - began
        assert {answer.status_code for answer in await logins} == {200}
        print(
            f"{LOGINS} logins in {took:.1f} s; /livez asked {len(waits)} times,"
            f" {max(waits) * 1000:.0f} ms at most; {(most - before) / MIB:.0f} MiB more at most"
        )
        assert max(waits) < 1
        assert most - before < MEMORY
