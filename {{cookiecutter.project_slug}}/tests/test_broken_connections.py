"""Connections that the server closes, or that fail, are replaced."""

import asyncio
from contextlib import suppress
from threading import Thread
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import Settings
from tests.connection_pool import SELECT_1, assert_intact, sleep
from tests.databases import connected, url_from

PID = text("SELECT pg_backend_pid()")


async def terminate_others(settings: Settings) -> None:
    """Terminate every other connection to this database."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    # Give the clients time to notice.
    await asyncio.sleep(0.05)


async def test_connections_closed_by_server_are_replaced(
    pool_of_two: Database, settings: Settings
) -> None:
    reader = Reader(pool_of_two)
    for _ in range(2):
        await assert_intact(pool_of_two)
        await terminate_others(settings)
        for _ in range(4):
            assert (await reader.fetch_one(SELECT_1))[0] == 1
        await terminate_others(settings)
        await sleep(pool_of_two, 0)


async def test_closed_connections_are_detected_after_event_loop_was_blocked(
    pool_of_two: Database, settings: Settings
) -> None:
    await assert_intact(pool_of_two)
    thread = Thread(target=lambda: asyncio.run(terminate_others(settings)))
    thread.start()
    # Blocks the event loop, so that it cannot notice that the server closes the connections.
    thread.join()
    reader = Reader(pool_of_two)
    rows = await asyncio.gather(reader.fetch_one(SELECT_1), reader.fetch_one(SELECT_1))
    assert [row[0] for row in rows] == [1, 1]


async def test_reads_during_termination_succeed_or_raise_unavailable(
    pool_of_two: Database, settings: Settings
) -> None:
    reader = Reader(pool_of_two)

    async def read() -> None:
        for _ in range(20):
            with suppress(UnavailableError):
                await reader.fetch_one(SELECT_1)

    for _ in range(8):
        await asyncio.gather(read(), read(), terminate_others(settings))
    await assert_intact(pool_of_two)


async def test_connection_lost_in_transaction_raises_unavailable(
    pool_of_two: Database, settings: Settings
) -> None:
    async def lose_connection() -> None:
        async with pool_of_two.transaction() as transaction:
            await transaction.execute(SELECT_1)
            await terminate_others(settings)
            await transaction.execute(SELECT_1)

    with pytest.raises(UnavailableError):
        await lose_connection()
    await assert_intact(pool_of_two)


async def test_connection_that_fails_to_roll_back_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = asyncpg.Connection.execute

    async def fail_to_roll_back(self: asyncpg.Connection, query: str, *args: Any) -> str:
        if query.startswith("ROLLBACK"):
            raise TimeoutError
        return await execute(self, query, *args)

    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        first = (await Reader(database).fetch_one(PID))[0]
        with monkeypatch.context() as patch:
            patch.setattr(asyncpg.Connection, "execute", fail_to_roll_back)
            with pytest.raises(ZeroDivisionError):
                async with database.transaction() as transaction:
                    await transaction.execute(SELECT_1)
                    raise ZeroDivisionError
        async with database.transaction() as transaction:
            assert await transaction.scalar(PID) != first
