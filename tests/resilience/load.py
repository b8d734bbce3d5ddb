"""Requests to the service, alone and in parallel, and checks of what they left behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from httpx2 import AsyncClient, Limits, Response
from writer import HEADERS

from resilience.postgres_server import PostgresServer
from resilience.service_process import ServiceProcess

T = TypeVar("T")

ARTICLES = "/api/v1/articles"
COUPONS = "/api/v1/coupons"


@asynccontextmanager
async def open_client(service: ServiceProcess) -> AsyncIterator[AsyncClient]:
    """Open a client of a user with all scopes, with a long timeout and many connections."""
    async with AsyncClient(
        base_url=service.base_url,
        headers=HEADERS,
        limits=Limits(max_connections=None),
        timeout=60,
    ) as client:
        yield client


def new_article() -> dict[str, Any]:
    """Return a request body with a unique slug."""
    return {"title": "A title", "slug": uuid4().hex, "text": "Some words."}


async def create_article(client: AsyncClient) -> str:
    """Create an article and return its path."""
    response = await client.post(ARTICLES, json=new_article())
    assert response.status_code == 201, response.text
    return response.headers["Location"]


async def create_coupon(client: AsyncClient, uses: int) -> str:
    """Create a coupon and return its path."""
    new = {"code": uuid4().hex, "init_count": uses}
    response = await client.post(COUPONS, json=new)
    assert response.status_code == 201, response.text
    return response.headers["Location"]


async def concurrently(clients: int, requests: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Send all requests, as many at a time as there are clients, and return their results."""
    queue, results = iter(requests), []

    async def run_client() -> None:
        # The clients share one iterator, so each takes the next request that is left.
        for request in queue:
            results.append(await request())  # noqa: PERF401 - a comprehension would block the others

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(run_client())
    return results


SELECT_CONNECTIONS = (
    "SELECT pid, state, wait_event_type FROM pg_stat_activity"
    " WHERE usename = 'service' AND datname = current_database()"
)


async def get_concurrently(
    client: AsyncClient, superuser: asyncpg.Connection, count: int
) -> list[Response]:
    """Send `count` reads that hold a connection at the same time, and return the responses.

    A table lock makes the reads wait until all of them have a connection.
    """
    async with asyncio.timeout(60), asyncio.TaskGroup() as group, superuser.transaction():
        await superuser.execute("LOCK TABLE articles")
        tasks = [group.create_task(client.get(ARTICLES)) for _ in range(count)]
        while len(await lock_waiters(superuser)) < count and not all(t.done() for t in tasks):
            await asyncio.sleep(0.05)
    return [task.result() for task in tasks]


async def connection_states(superuser: asyncpg.Connection) -> list[str]:
    """Return the states of the service's connections, such as `idle`."""
    return [row["state"] for row in await superuser.fetch(SELECT_CONNECTIONS)]


async def lock_waiters(superuser: asyncpg.Connection) -> list[int]:
    """Return the process IDs of the service's connections that wait for a lock."""
    # Within a transaction, pg_stat_activity is a snapshot until it is cleared.
    await superuser.execute("SELECT pg_stat_clear_snapshot()")
    rows = await superuser.fetch(SELECT_CONNECTIONS)
    return [row["pid"] for row in rows if row["wait_event_type"] == "Lock"]


async def assert_pool_is_complete(
    client: AsyncClient, server: PostgresServer, database: str, size: int
) -> None:
    """Assert that all connections of the pool are usable at the same time, and then idle."""
    async with server.superuser_connection(database) as superuser:
        responses = await get_concurrently(client, superuser, size)
        for response in responses:
            assert response.status_code == 200, response.text
        # The first request to /readyz opens one more connection, for readiness checks only.
        complete = (["idle"] * size, ["idle"] * (size + 1))
        states: list[str] = []
        try:
            async with asyncio.timeout(30):
                # A connection may still be active just after the response.
                while (states := await connection_states(superuser)) not in complete:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(states) from None


async def assert_redemptions_match_counts(superuser: asyncpg.Connection) -> None:
    """Assert that each coupon has as many redemptions as it has lost remaining uses."""
    mismatches = await superuser.fetch(
        "SELECT code FROM coupons WHERE init_count - remaining_count <>"
        " (SELECT count(*) FROM redemptions WHERE coupon_id = coupons.id)"
    )
    assert not mismatches
