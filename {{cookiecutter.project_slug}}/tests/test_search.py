"""Searches are limited in duration and in the number that run concurrently."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import Settings
from tests.connection_pool import SELECT_1, SLEEP
from tests.databases import connected, url_from
from tests.waiting import wait_until

IS_IDLE = """
SELECT count(*) = 0 FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'three' AND state <> 'idle'
"""


@pytest.fixture(params=["none", "pgbouncer"])
async def pool_of_three(
    settings: Settings, request: pytest.FixtureRequest
) -> AsyncIterator[Database]:
    """Yield a database with a pool of three connections, of which searches can use one."""
    limits = {"pool_min_size": 0, "pool_max_size": 3, "search_timeout": 1}
    others = {"pooler": request.param, "application_name": "three"}
    async with Database(settings.database.model_copy(update=limits | others)) as database:
        yield database


async def wait_until_idle(settings: Settings) -> None:
    """Wait until the server runs no statement of the pool."""
    async with connected(url_from(settings)) as connection:
        await wait_until(lambda: connection.fetchval(IS_IDLE))


async def test_server_cancels_slow_search(pool_of_three: Database, settings: Settings) -> None:
    reader = Reader(pool_of_three)
    for _ in range(2):
        async with asyncio.timeout(10):
            with pytest.raises(UnavailableError):
                await reader.search(SLEEP, seconds=20)
        await wait_until_idle(settings)
    assert (await reader.search(SELECT_1))[0][0] == 1


@pytest.mark.parametrize(
    ("setting", "expected"), [("statement_timeout", "1s"), ("plan_cache_mode", "force_custom_plan")]
)
async def test_settings_of_searches_apply_to_searches_only(
    pool_of_three: Database, setting: str, expected: str
) -> None:
    show = text(f"SHOW {setting}")
    before = (await Reader(pool_of_three).fetch_one(show))[0]
    assert (await Reader(pool_of_three).search(show))[0][0] == expected
    assert (await Reader(pool_of_three).fetch_one(show))[0] == before != expected


async def test_searches_leave_connections_to_other_requests(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 3, "pool_timeout": 1, "search_timeout": 10}
    async with Database(settings.database.model_copy(update=limits)) as database:
        reader = Reader(database)
        searches = [asyncio.create_task(reader.search(SLEEP, seconds=1.5)) for _ in range(6)]
        await asyncio.sleep(0.1)
        async with database.transaction() as transaction:
            await transaction.execute(SELECT_1)
            assert (await reader.fetch_one(SELECT_1))[0] == 1
        results = await asyncio.gather(*searches, return_exceptions=True)
    errors = [result for result in results if isinstance(result, UnavailableError)]
    # One search has used the only connection for searches.
    assert [error.detail for error in errors] == ["Too many searches are running."] * 5
    assert errors[0].headers["Retry-After"] == "1"


async def test_pool_of_one_connection_can_search(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        reader = Reader(database)
        rows = await asyncio.gather(*[reader.search(SELECT_1) for _ in range(4)])
    assert [row[0][0] for row in rows] == [1, 1, 1, 1]


async def test_failed_or_cancelled_search_leaves_no_running_statement(
    pool_of_three: Database, settings: Settings
) -> None:
    random.seed(1)
    reader = Reader(pool_of_three)
    for _ in range(30):
        task = asyncio.create_task(reader.search(SLEEP, seconds=0.01))
        await asyncio.sleep(random.random() * 0.02)  # noqa: S311 - not a secret
        task.cancel()
        await asyncio.wait([task])
    with pytest.raises(Exception, match="division by zero"):
        await reader.search(text("SELECT 1 / :zero"), zero=0)
    await wait_until_idle(settings)
    for _ in range(4):
        assert (await reader.search(SELECT_1))[0][0] == 1
        assert (await reader.fetch_one(SELECT_1))[0] == 1


async def test_search_is_read_only(pool_of_three: Database) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        await Reader(pool_of_three).search(text("CREATE TABLE written (id integer)"))
