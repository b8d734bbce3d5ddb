"""Requests as many clients send them at once, and what they leave behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from httpx2 import AsyncClient, Limits, Response

from resilience.service_process import Server, Service

T = TypeVar("T")

ARTICLES = "/api/v1/articles"
COUPONS = "/api/v1/coupons"


@asynccontextmanager
async def client_of(service: Service) -> AsyncIterator[AsyncClient]:
    """A client with as many connections as it needs, and much patience."""
    limits = Limits(max_connections=None)
    async with AsyncClient(base_url=service.address, limits=limits, timeout=60) as client:
        yield client


def new_article() -> dict[str, Any]:
    """The body of an article that there is not yet."""
    return {"title": "A title", "slug": uuid4().hex, "text": "Some words."}


async def create_article(client: AsyncClient) -> str:
    """The path of a new article."""
    response = await client.post(ARTICLES, json=new_article())
    assert response.status_code == 201, response.text
    return response.headers["Location"]


async def create_coupon(client: AsyncClient, uses: int) -> str:
    """The path of a new coupon."""
    new = {"code": uuid4().hex, "init_count": uses}
    response = await client.post(COUPONS, json=new)
    assert response.status_code == 201, response.text
    return response.headers["Location"]


async def at_once(clients: int, requests: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """What came of the requests, of which each of several clients sends one after another."""
    waiting, results = iter(requests), []

    async def client() -> None:
        for request in waiting:
            results.append(await request())  # noqa: PERF401 - as many at once as clients

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return results


@asynccontextmanager
async def control(server: Server, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser to the service's database."""
    connection = await server.connect(database)
    try:
        yield connection
    finally:
        await connection.close()


CONNECTIONS = (
    "SELECT pid, state, wait_event_type FROM pg_stat_activity"
    " WHERE usename = 'service' AND datname = current_database()"
)


async def get_at_once(
    client: AsyncClient, control: asyncpg.Connection, count: int
) -> list[Response]:
    """The answers to `count` reads that all hold a connection at the same moment."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group, control.transaction():
        await control.execute("LOCK TABLE articles")
        tasks = [group.create_task(client.get(ARTICLES)) for _ in range(count)]
        while len(await waiting(control)) < count and not all(t.done() for t in tasks):
            await asyncio.sleep(0.05)
    return [task.result() for task in tasks]


async def waiting(control: asyncpg.Connection) -> list[int]:
    """The process ids of the service's connections that wait for a lock."""
    # Otherwise a transaction sees always the same.
    await control.execute("SELECT pg_stat_clear_snapshot()")
    rows = await control.fetch(CONNECTIONS)
    return [row["pid"] for row in rows if row["wait_event_type"] == "Lock"]


async def assert_pool_is_whole(
    client: AsyncClient, server: Server, database: str, size: int
) -> None:
    """All connections of the pool can be had at once, there are no more, and none is busy."""
    async with control(server, database) as connection:
        answers = await get_at_once(client, connection, size)
        for answer in answers:
            assert answer.status_code == 200, answer.text
        await asyncio.sleep(0.2)
        states = [row["state"] for row in await connection.fetch(CONNECTIONS)]
        # Where readiness was asked for, its connection stands beside the pool.
        assert states in (["idle"] * size, ["idle"] * (size + 1)), states


async def assert_no_half_redemption(control: asyncpg.Connection) -> None:
    """Every use of a coupon has been counted, and every use that was counted is there."""
    half_done = await control.fetch(
        "SELECT code FROM coupons WHERE init_count - remaining_count <>"
        " (SELECT count(*) FROM redemptions WHERE coupon_id = coupons.id)"
    )
    assert not half_done
