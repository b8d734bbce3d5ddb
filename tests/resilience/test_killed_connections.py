"""Connections terminated by the server are replaced, and transactions on them stay atomic."""

import asyncio
import os
from collections import Counter
from functools import partial
from pathlib import Path

import asyncpg
from conftest import Project

from resilience import IS_LONG
from resilience.load import (
    ARTICLES,
    assert_pool_is_complete,
    assert_redemptions_match_counts,
    concurrently,
    create_coupon,
    get_concurrently,
    new_article,
    open_client,
)
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service

ROUNDS = 50 if IS_LONG else 4
POOL = 5


async def terminate_backends(superuser: asyncpg.Connection) -> int:
    """Terminate all connections of the service, wait until they are gone, and return how many."""
    killed = await superuser.fetch(
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'service' AND datname = current_database()"
    )
    # pg_stat_activity drops a backend before its socket is closed, so wait for the processes.
    async with asyncio.timeout(30):
        while any(is_running(row["pid"]) for row in killed):
            await asyncio.sleep(0.001)
    return len(killed)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_reads_succeed_after_idle_connections_were_terminated(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MAX_SIZE": str(POOL)}
    async with (
        run_service(project, server.url(database), tmp_path / "log", **pool) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        for _ in range(ROUNDS):
            for response in await get_concurrently(client, superuser, POOL):
                assert response.status_code == 200
            assert await terminate_backends(superuser) == POOL
            responses = await asyncio.gather(*(client.get(ARTICLES) for _ in range(POOL)))
            assert [response.status_code for response in responses] == [200] * POOL
        await assert_pool_is_complete(client, server, database, POOL)


async def test_successful_writes_are_stored_and_failed_ones_are_atomic(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MAX_SIZE": str(POOL)}
    async with (
        run_service(project, server.url(database), tmp_path / "log", **pool) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        coupon = await create_coupon(client, 10_000)
        articles = [new_article() for _ in range(40 * ROUNDS)]
        created: list[str] = []

        async def create(article: dict[str, str]) -> int:
            response = await client.post(ARTICLES, json=article)
            if response.is_success:
                created.append(article["slug"])
            return response.status_code

        async def redeem() -> int:
            return (await client.post(f"{coupon}/redemptions")).status_code

        writing = asyncio.gather(
            concurrently(POOL, (partial(create, article) for article in articles)),
            concurrently(POOL, (redeem for _ in articles)),
        )
        while not writing.done():
            await terminate_backends(superuser)
            await asyncio.sleep(0.02)
        statuses = [Counter(found) for found in await writing]
        print(statuses)
        stored = {row["slug"] for row in await superuser.fetch("SELECT slug FROM articles")}
        for found in statuses:
            assert found.keys() <= {201, 503}
        # A connection lost during the commit: the article is stored, and the response is 503.
        assert set(created) <= stored <= {article["slug"] for article in articles}
        await assert_redemptions_match_counts(superuser)
        await assert_pool_is_complete(client, server, database, POOL)
