"""The database goes away and comes back; the service says so meanwhile, and goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from conftest import Project
from httpx2 import AsyncClient, Response

from resilience.load import ARTICLES, assert_pool_is_whole, client_of, new_article
from resilience.service_process import Server, create_migrated_database, is_long, postgres, serving

SECONDS = 10 if is_long() else 2
# Five times what was measured.
RECOVERY = 5
POOL = 5
READS = [ARTICLES, "/livez", "/readyz"]


@dataclass
class Switch:
    """A server to be started and stopped."""

    project: Project
    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)

    async def on(self) -> Server:
        server = postgres(self.project, self.folder)
        return await asyncio.to_thread(self.stack.enter_context, server)

    async def off(self) -> None:
        await asyncio.to_thread(self.stack.close)


@pytest.fixture
async def switch(project: Project, tmp_path: Path) -> AsyncIterator[Switch]:
    switch = Switch(project, tmp_path / "postgres")
    yield switch
    await switch.off()


@dataclass
class Answer:
    path: str
    sent: float
    received: float
    response: Response


@asynccontextmanager
async def load(client: AsyncClient) -> AsyncIterator[list[Answer]]:
    """Send reads and writes all the time, each kind one after another, and gather the answers."""
    answers: list[Answer] = []

    async def keep_on(path: str, request: Callable[[], Awaitable[Response]]) -> None:
        while True:
            sent = monotonic()
            response = await request()
            answers.append(Answer(path, sent, monotonic(), response))
            await asyncio.sleep(0.02)

    requests: dict[str, Callable[[], Awaitable[Response]]] = {
        path: partial(client.get, path) for path in READS
    }
    requests["write"] = lambda: client.post(ARTICLES, json=new_article())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(keep_on(*request)) for request in requests.items()]
        yield answers
        for task in tasks:
            task.cancel()


async def assert_it_recovers(switch: Switch, answers: list[Answer]) -> None:
    """The server is off now; it says 503 until it is on again, and then soon no more."""
    gone = monotonic()
    await asyncio.sleep(SECONDS)
    coming = monotonic()
    await switch.on()
    back = monotonic()
    recovered: set[str] = set()
    async with asyncio.timeout(RECOVERY):
        while recovered < {*READS, "write"}:
            await asyncio.sleep(0.02)
            recovered = {a.path for a in answers if a.sent > back and a.response.is_success}
    print(f"recovered after {monotonic() - back:.2f} s")

    meanwhile = [answer for answer in answers if gone < answer.sent < answer.received < coming]
    assert {answer.path for answer in meanwhile} == recovered
    for answer in answers:
        if answer.path == "/livez":
            assert answer.response.status_code == 200
        elif answer in meanwhile or not answer.response.is_success:
            assert answer.response.status_code == 503, answer.response.text
            assert answer.response.headers["Retry-After"] == "1"


async def test_an_outage_ends_without_a_restart(
    project: Project, switch: Switch, tmp_path: Path
) -> None:
    server = await switch.on()
    database = await create_migrated_database(server, project)
    pool = {"DB_POOL_MAX_SIZE": str(POOL)}
    async with (
        serving(project, server.url(database), tmp_path / "log", **pool) as service,
        client_of(service) as client,
    ):
        async with load(client) as answers:
            await asyncio.sleep(1)
            assert all(answer.response.is_success for answer in answers)
            await switch.off()
            await assert_it_recovers(switch, answers)
        assert service.process.returncode is None
        await assert_pool_is_whole(client, server, database, POOL)


async def test_it_starts_without_a_database(
    project: Project, switch: Switch, tmp_path: Path
) -> None:
    server = await switch.on()
    database = await create_migrated_database(server, project)
    await switch.off()
    async with (
        serving(project, server.url(database), tmp_path / "log") as service,
        client_of(service) as client,
        load(client) as answers,
    ):
        await assert_it_recovers(switch, answers)
