"""Concurrent requests for the same coupon, slug and connections."""

import asyncio
from collections import Counter
from pathlib import Path
from time import monotonic

from conftest import Project
from httpx2 import Response

from resilience.load import (
    ARTICLES,
    assert_pool_is_complete,
    assert_redemptions_match_counts,
    create_coupon,
    lock_waiters,
    new_article,
    open_client,
)
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service

# Limits that a busy machine does not exceed.
PATIENT = {"DB_POOL_TIMEOUT": "60", "DB_LOCK_TIMEOUT": "60", "DB_STATEMENT_TIMEOUT": "60"}


async def test_coupon_is_not_redeemed_more_often_than_its_count(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    async with (
        run_service(project, server.url(database), tmp_path / "log", **PATIENT) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        coupon = await create_coupon(client, 37)
        redeemed = await asyncio.gather(*(client.post(f"{coupon}/redemptions") for _ in range(100)))
        assert Counter(response.status_code for response in redeemed) == {201: 37, 409: 63}
        assert (await client.get(coupon)).json()["remaining_count"] == 0
        assert await superuser.fetchval("SELECT count(*) FROM redemptions") == 37
        await assert_redemptions_match_counts(superuser)


async def test_only_one_of_many_articles_with_the_same_slug_is_created(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    async with (
        run_service(project, server.url(database), tmp_path / "log", **PATIENT) as service,
        open_client(service) as client,
    ):
        article = new_article()
        created = await asyncio.gather(*(client.post(ARTICLES, json=article) for _ in range(50)))
        assert Counter(response.status_code for response in created) == {201: 1, 409: 49}
        assert {response.json().get("field") for response in created} == {None, "slug"}


async def test_exhausted_pool_rejects_requests_after_the_timeout_and_recovers(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    # No connections for the minimum of the pool, which would compete with those of the requests.
    pool = {"DB_POOL_MIN_SIZE": "0", "DB_POOL_MAX_SIZE": "2", "DB_POOL_TIMEOUT": "0.5"}
    async with (
        run_service(project, server.url(database), tmp_path / "log", **PATIENT | pool) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):

        async def get() -> tuple[Response, float]:
            started = monotonic()
            response = await client.get(ARTICLES)
            return response, monotonic() - started

        blocked: list[asyncio.Task[Response]] = []
        async with asyncio.timeout(60), superuser.transaction():
            await superuser.execute("LOCK TABLE articles")
            while len(await lock_waiters(superuser)) < 2:
                # On a busy machine, a request may fail to connect within the timeout.
                blocked = [task for task in blocked if not task.done()]
                blocked += [
                    asyncio.create_task(client.get(ARTICLES)) for _ in range(2 - len(blocked))
                ]
                await asyncio.sleep(0.05)
            rejected = await asyncio.gather(*(get() for _ in range(18)))
        for response, seconds in rejected:
            assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
            assert seconds >= 0.5
        assert [(await task).status_code for task in blocked] == [200, 200]
        await assert_pool_is_complete(client, server, database, 2)
