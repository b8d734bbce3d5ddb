"""Concurrent requests for the same coupon, slug and connections."""

import asyncio
from collections import Counter
from pathlib import Path
from time import monotonic

from conftest import Project

from resilience.load import (
    ARTICLES,
    assert_pool_is_complete,
    assert_redemptions_match_counts,
    create_coupon,
    new_article,
    open_client,
)
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service


async def test_coupon_is_not_redeemed_more_often_than_its_count(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    async with (
        run_service(project, server.url(database), tmp_path / "log") as service,
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
        run_service(project, server.url(database), tmp_path / "log") as service,
        open_client(service) as client,
    ):
        article = new_article()
        created = await asyncio.gather(*(client.post(ARTICLES, json=article) for _ in range(50)))
        assert Counter(response.status_code for response in created) == {201: 1, 409: 49}
        assert {response.json().get("field") for response in created} == {None, "slug"}


async def test_exhausted_pool_rejects_requests_after_the_timeout_and_recovers(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MAX_SIZE": "2", "DB_POOL_TIMEOUT": "0.5"}
    async with (
        run_service(project, server.url(database), tmp_path / "log", **pool) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        durations: list[float] = []

        async def get_slowly() -> int:
            started = monotonic()
            response = await client.get(ARTICLES)
            if response.status_code == 503:
                durations.append(monotonic() - started)
                assert response.headers["Retry-After"] == "1"
            return response.status_code

        async with superuser.transaction():
            await superuser.execute("LOCK TABLE articles")
            slow = [asyncio.create_task(get_slowly()) for _ in range(20)]
            async with asyncio.timeout(30):
                while len(durations) < 18:
                    await asyncio.sleep(0.05)
        assert Counter(await asyncio.gather(*slow)) == {200: 2, 503: 18}
        print(f"rejected after {min(durations):.2f} s to {max(durations):.2f} s")
        assert min(durations) >= 0.5
        await assert_pool_is_complete(client, server, database, 2)
