"""Requests cancelled or disconnected at a random time do not damage the connection pool."""

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
    SELECT_CONNECTIONS,
    assert_pool_is_complete,
    assert_redemptions_match_counts,
    concurrently,
    create_article,
    create_coupon,
    get_concurrently,
    new_article,
    open_client,
)
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service

REQUESTS = 500
CLIENTS = 10
POOL = 5

Abort = Callable[[AsyncClient, Request], Awaitable[int]]


def random_delay_ms() -> float:
    """Return 0.3 to 200 ms, log-uniform: before, during and after the handling of a request."""
    return float(10 ** random.uniform(-0.5, 2.3))


async def cancel(client: AsyncClient, request: Request) -> int:
    """Send a request that in_venv/cancellation_app.py cancels inside the service."""
    request.headers["x-cancel"] = f"{random.choice(['task', 'scope'])} {random_delay_ms()}"
    return (await client.send(request)).status_code


async def disconnect(client: AsyncClient, request: Request) -> int:
    """Send a request on a new connection, and reset the connection after some time."""
    url = urlsplit(str(client.base_url))
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    head = f"{request.method} {request.url.path} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    writer.write(f"{head}\r\n".encode() + request.content)
    await writer.drain()
    await asyncio.sleep(random_delay_ms() / 1000)
    writer.transport.abort()
    return 499


@asynccontextmanager
async def suspended_backend(server: PostgresServer, database: str) -> AsyncIterator[None]:
    """Suspend the server process of one connection, which then hangs without being closed."""
    async with server.superuser_connection(database) as superuser:
        pid = (await superuser.fetch(SELECT_CONNECTIONS))[0]["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("abort", "has_suspended_backend"),
    [(cancel, False), (cancel, True), (disconnect, False)],
    ids=["cancelled", "cancelled-with-suspended-backend", "disconnected"],
)
async def test_aborted_requests_do_not_damage_the_pool(
    project: Project,
    server: PostgresServer,
    database: str,
    tmp_path: Path,
    abort: Abort,
    *,
    has_suspended_backend: bool,
) -> None:
    url, pool = server.url(database), {"DB_POOL_MAX_SIZE": str(POOL)}
    log, application = tmp_path / "log", "cancellation_app:create_app"
    async with (
        run_service(project, url, log, application=application, **pool) as service,
        open_client(service) as client,
    ):
        coupon = await create_coupon(client, REQUESTS)
        article = await create_article(client)
        fault = suspended_backend(server, database) if has_suspended_backend else nullcontext()

        def random_request() -> Request:
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

        async with fault, server.superuser_connection(database) as superuser:
            aborted = (lambda: abort(client, random_request()) for _ in range(REQUESTS))
            statuses = Counter(await concurrently(CLIENTS, aborted))
            responses = await get_concurrently(client, superuser, POOL)
            await assert_redemptions_match_counts(superuser)
        assert statuses[499] > REQUESTS / 10
        assert [response.status_code for response in responses] == [200] * POOL
        await assert_pool_is_complete(client, server, database, POOL)
