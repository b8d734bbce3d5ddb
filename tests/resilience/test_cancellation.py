"""Requests that are given up, at whatever moment, cost the service nothing."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Project
from httpx2 import AsyncClient, Request

from resilience.load import (
    ARTICLES,
    CONNECTIONS,
    assert_no_half_redemption,
    assert_pool_is_whole,
    at_once,
    client_of,
    control,
    create_article,
    create_coupon,
    get_at_once,
    new_article,
)
from resilience.service_process import Server, serving

REQUESTS = 500
CLIENTS = 10
POOL = 5

GiveUp = Callable[[AsyncClient, Request], Awaitable[int]]


def some_delay() -> float:
    """Milliseconds: as often before a request has begun as after it is over."""
    return float(10 ** random.uniform(-0.5, 2.3))


async def cancel(client: AsyncClient, request: Request) -> int:
    request.headers["x-cancel"] = f"{random.choice(['task', 'scope'])} {some_delay()}"
    return (await client.send(request)).status_code


async def disconnect(client: AsyncClient, request: Request) -> int:
    """Send a request over a connection of its own, which is reset after some time."""
    address = urlsplit(str(client.base_url))
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"{request.method} {request.url.path} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    writer.write(f"{head}\r\n".encode() + request.content)
    await writer.drain()
    await asyncio.sleep(some_delay() / 1000)
    writer.transport.abort()
    return 499


@asynccontextmanager
async def one_backend_stopped(server: Server, database: str) -> AsyncIterator[None]:
    """One connection of the service never answers, and is not closed either."""
    async with control(server, database) as connection:
        pid = (await connection.fetch(CONNECTIONS))[0]["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("give_up", "has_stopped_backend"),
    [(cancel, False), (cancel, True), (disconnect, False)],
    ids=["cancelled", "cancelled-with-a-backend-stopped", "disconnected"],
)
async def test_requests_given_up_leave_the_pool_whole(
    project: Project,
    server: Server,
    database: str,
    tmp_path: Path,
    give_up: GiveUp,
    *,
    has_stopped_backend: bool,
) -> None:
    url, pool = server.url(database), {"DB_POOL_MAX_SIZE": str(POOL)}
    log, application = tmp_path / "log", "cancellation_app:create_app"
    async with (
        serving(project, url, log, application=application, **pool) as service,
        client_of(service) as client,
    ):
        coupon = await create_coupon(client, REQUESTS)
        article = await create_article(client)
        fault = one_backend_stopped(server, database) if has_stopped_backend else nullcontext()

        def some_request() -> Request:
            method, path, body = random.choice(
                [
                    ("GET", article, None),
                    ("GET", ARTICLES, None),
                    ("POST", ARTICLES, new_article()),
                    ("PATCH", article, {"title": "Another"}),
                    ("POST", f"{coupon}/redemptions", None),
                ]
            )
            return client.build_request(method, path, json=body)

        async with fault, control(server, database) as connection:
            given_up = (lambda: give_up(client, some_request()) for _ in range(REQUESTS))
            statuses = Counter(await at_once(CLIENTS, given_up))
            answers = await get_at_once(client, connection, POOL)
            await assert_no_half_redemption(connection)
        assert statuses[499] > REQUESTS / 10
        assert [answer.status_code for answer in answers] == [200] * POOL
        await assert_pool_is_whole(client, server, database, POOL)
