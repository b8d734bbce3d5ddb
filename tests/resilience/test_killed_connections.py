"""Connections that the server closes are replaced, and what they were doing is done or not done."""

import asyncio
import os
from collections import Counter
from functools import partial
from pathlib import Path

import asyncpg
from conftest import Project

from resilience.load import (
    ARTICLES,
    assert_no_half_redemption,
    assert_pool_is_whole,
    at_once,
    client_of,
    control,
    create_coupon,
    get_at_once,
    new_article,
)
from resilience.service_process import Server, is_long, serving

ROUNDS = 50 if is_long() else 10
POOL = 5


async def kill_all(connection: asyncpg.Connection) -> int:
    """How many connections of the service were closed; none of them is left."""
    killed = await connection.fetch(
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'service' AND datname = current_database()"
    )
    # The server forgets a connection before it closes it: only then can the service know.
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


async def test_no_read_fails_after_connections_were_closed(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MAX_SIZE": str(POOL)}
    async with (
        serving(project, server.url(database), tmp_path / "log", **pool) as service,
        client_of(service) as client,
        control(server, database) as connection,
    ):
        for _ in range(ROUNDS):
            for answer in await get_at_once(client, connection, POOL):
                assert answer.status_code == 200
            assert await kill_all(connection) == POOL
            answers = await asyncio.gather(*(client.get(ARTICLES) for _ in range(POOL)))
            assert [answer.status_code for answer in answers] == [200] * POOL
        await assert_pool_is_whole(client, server, database, POOL)


async def test_a_write_is_done_as_it_was_answered(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MAX_SIZE": str(POOL)}
    async with (
        serving(project, server.url(database), tmp_path / "log", **pool) as service,
        client_of(service) as client,
        control(server, database) as connection,
    ):
        coupon = await create_coupon(client, 10_000)
        articles = [new_article() for _ in range(40 * ROUNDS)]
        created: list[str] = []

        async def create(article: dict[str, str]) -> int:
            answer = await client.post(ARTICLES, json=article)
            if answer.is_success:
                created.append(article["slug"])
            return answer.status_code

        async def redeem() -> int:
            return (await client.post(f"{coupon}/redemptions")).status_code

        writing = asyncio.gather(
            at_once(POOL, (partial(create, article) for article in articles)),
            at_once(POOL, (redeem for _ in articles)),
        )
        while not writing.done():
            await kill_all(connection)
            await asyncio.sleep(0.02)
        statuses = [Counter(found) for found in await writing]
        print(statuses)
        stored = {row["slug"] for row in await connection.fetch("SELECT slug FROM articles")}
        for found in statuses:
            assert found.keys() <= {201, 503}
        # One that was stored may have lost its answer with the connection, at the commit.
        assert set(created) <= stored <= {article["slug"] for article in articles}
        await assert_no_half_redemption(connection)
        await assert_pool_is_whole(client, server, database, POOL)
