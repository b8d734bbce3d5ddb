"""The server accepts no more connections; the service gets by with those that it has."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
from conftest import Project

from resilience.load import ARTICLES, at_once, client_of, new_article
from resilience.service_process import Server, create_migrated_database, postgres, serving

# Three of them are for superusers only.
MAX_CONNECTIONS = 10
TAKEN = 4
CLIENTS = 20
REQUESTS = 400


@asynccontextmanager
async def taken(server: Server, database: str, count: int) -> AsyncIterator[None]:
    """Connections of other clients of the server."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            connection = await asyncpg.connect(server.url(database))
            stack.push_async_callback(connection.close)
        yield


async def test_requests_wait_for_the_connections_of_the_pool(
    project: Project, tmp_path: Path
) -> None:
    limits = {"max_connections": str(MAX_CONNECTIONS), "superuser_reserved_connections": "3"}
    with postgres(project, tmp_path / "postgres", **limits) as server:
        database = await create_migrated_database(server, project)
        async with (
            taken(server, database, TAKEN),
            serving(project, server.url(database), tmp_path / "log") as service,
            client_of(service) as client,
        ):
            # It has a connection for that, and two are left.
            assert (await client.get("/readyz")).status_code == 200
            requests = [
                partial(client.get, ARTICLES)
                if n % 2
                else partial(client.post, ARTICLES, json=new_article())
                for n in range(REQUESTS)
            ]
            async with asyncio.timeout(60):
                answers = await at_once(CLIENTS, requests)
            statuses = Counter(answer.status_code for answer in answers)
            print(statuses)
            assert statuses.keys() == {200, 201}
        warnings = [line for line in service.lines() if line["level"] == "WARNING"]
        assert 0 < len(warnings) <= 5
        assert "too many clients" in warnings[0]["message"] or "reserved" in warnings[0]["message"]
