"""The service on a PostgreSQL server that has reached `max_connections`."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
from conftest import Project

from resilience.load import ARTICLES, concurrently, new_article, open_client
from resilience.postgres_server import PostgresServer, create_migrated_database, run_postgres
from resilience.service_process import run_service

# Three are reserved for superusers, and four are used by other clients.
MAX_CONNECTIONS = 10
OTHER_CLIENTS = 4
CLIENTS = 20
REQUESTS = 400


@asynccontextmanager
async def other_clients(server: PostgresServer, database: str, count: int) -> AsyncIterator[None]:
    """Hold connections to the server until the block ends."""
    async with AsyncExitStack() as stack:
        for _ in range(count):
            connection = await asyncpg.connect(server.url(database))
            stack.push_async_callback(connection.close)
        yield


async def test_requests_succeed_with_fewer_connections_than_the_pool_size(
    project: Project, tmp_path: Path
) -> None:
    limits = {"max_connections": str(MAX_CONNECTIONS), "superuser_reserved_connections": "3"}
    with run_postgres(project, tmp_path / "postgres", **limits) as server:
        database = await create_migrated_database(server, project)
        async with (
            other_clients(server, database, OTHER_CLIENTS),
            run_service(project, server.url(database), tmp_path / "log") as service,
            open_client(service) as client,
        ):
            # The readiness check uses one of the three connections that are left.
            assert (await client.get("/readyz")).status_code == 200
            requests = [
                partial(client.get, ARTICLES)
                if n % 2
                else partial(client.post, ARTICLES, json=new_article())
                for n in range(REQUESTS)
            ]
            async with asyncio.timeout(60):
                responses = await concurrently(CLIENTS, requests)
            statuses = Counter(response.status_code for response in responses)
            print(statuses)
            assert statuses.keys() == {200, 201}
        warnings = [line for line in service.log_records() if line["level"] == "WARNING"]
        assert 0 < len(warnings) <= 5
        assert "too many clients" in warnings[0]["message"] or "reserved" in warnings[0]["message"]
