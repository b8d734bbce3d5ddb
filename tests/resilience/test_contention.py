"""Many who want the same thing at once: as many get it as there are, and the others are told."""

import asyncio
from collections import Counter
from pathlib import Path
from time import monotonic

from conftest import Project

from resilience.load import (
    ARTICLES,
    assert_no_half_redemption,
    assert_pool_is_whole,
    client_of,
    control,
    create_coupon,
    new_article,
)
from resilience.service_process import Server, serving


async def test_a_coupon_is_redeemed_as_often_as_it_says(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    async with (
        serving(project, server.url(database), tmp_path / "log") as service,
        client_of(service) as client,
        control(server, database) as connection,
    ):
        coupon = await create_coupon(client, 37)
        redeemed = await asyncio.gather(*(client.post(f"{coupon}/redemptions") for _ in range(100)))
        assert Counter(answer.status_code for answer in redeemed) == {201: 37, 409: 63}
        assert (await client.get(coupon)).json()["remaining_count"] == 0
        assert await connection.fetchval("SELECT count(*) FROM redemptions") == 37
        await assert_no_half_redemption(connection)


async def test_a_slug_is_taken_once(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    async with (
        serving(project, server.url(database), tmp_path / "log") as service,
        client_of(service) as client,
    ):
        article = new_article()
        created = await asyncio.gather(*(client.post(ARTICLES, json=article) for _ in range(50)))
        assert Counter(answer.status_code for answer in created) == {201: 1, 409: 49}
        assert {answer.json().get("field") for answer in created} == {None, "slug"}


async def test_a_full_pool_turns_requests_away_in_time_and_recovers(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MAX_SIZE": "2", "DB_POOL_TIMEOUT": "0.5"}
    async with (
        serving(project, server.url(database), tmp_path / "log", **pool) as service,
        client_of(service) as client,
        control(server, database) as connection,
    ):
        durations: list[float] = []

        async def get_slowly() -> int:
            started = monotonic()
            answer = await client.get(ARTICLES)
            if answer.status_code == 503:
                durations.append(monotonic() - started)
                assert answer.headers["Retry-After"] == "1"
            return answer.status_code

        async with connection.transaction():
            await connection.execute("LOCK TABLE articles")
            slow = [asyncio.create_task(get_slowly()) for _ in range(20)]
            async with asyncio.timeout(30):
                while len(durations) < 18:
                    await asyncio.sleep(0.05)
        assert Counter(await asyncio.gather(*slow)) == {200: 2, 503: 18}
        print(f"turned away after {min(durations):.2f} s to {max(durations):.2f} s")
        assert min(durations) >= 0.5
        await assert_pool_is_whole(client, server, database, 2)
