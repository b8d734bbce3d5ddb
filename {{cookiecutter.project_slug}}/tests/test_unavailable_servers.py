"""Servers that reject connections because they are full, or transactions on a standby."""

import asyncio
import logging
from typing import Any

import asyncpg
import pytest
from asyncpg.exceptions import FeatureNotSupportedError, TooManyConnectionsError
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import AppError, UnavailableError
from app.settings import Settings

SELECT_1 = text("SELECT 1")
SLEEP = text("SELECT pg_sleep(0.01)")


class FullServer:
    """Accepts `limit` connections, then rejects and counts further ones."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.accepted = 0
        self.rejected = 0
        self._connect = asyncpg.connect

    async def connect(self, *args: Any, **options: Any) -> asyncpg.Connection:
        """Replace `asyncpg.connect`."""
        await asyncio.sleep(0)
        if self.accepted == self.limit:
            self.rejected += 1
            raise TooManyConnectionsError("sorry, too many clients already")
        self.accepted += 1
        connection: asyncpg.Connection = await self._connect(*args, **options)
        return connection


@pytest.fixture
def full_server(monkeypatch: pytest.MonkeyPatch) -> FullServer:
    """Limit the server to two connections."""
    server = FullServer(2)
    monkeypatch.setattr(asyncpg, "connect", server.connect)
    return server


async def test_requests_share_pool_connections_of_full_server(
    settings: Settings, full_server: FullServer, caplog: pytest.LogCaptureFixture
) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 10}

    async def read() -> None:
        await Reader(database).fetch_one(SLEEP)

    async def write() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(SLEEP)

    async with Database(settings.database.model_copy(update=limits)) as database:
        # Each round has twice as many requests as the pool has slots. Two slots get connections.
        await asyncio.gather(*(work() for work in [read, write] * 10))
        await asyncio.gather(*(work() for work in [read, write] * 10))
        assert 0 < full_server.rejected <= 20
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "too many clients" in warnings[0]


async def test_pool_grows_when_server_has_room_again(
    settings: Settings, full_server: FullServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.connection_queue._FULL_SERVER_DELAY", 0.05)
    limits = {"pool_min_size": 0, "pool_max_size": 5}
    async with Database(settings.database.model_copy(update=limits)) as database:
        reader = Reader(database)
        await reader.fetch_one(SELECT_1)
        await asyncio.gather(*(reader.fetch_one(SLEEP) for _ in range(10)))
        full_server.limit = 5
        await asyncio.sleep(0.1)
        pid = text("SELECT pg_backend_pid(), pg_sleep(0.1)")
        rows = await asyncio.gather(*(reader.fetch_one(pid) for _ in range(5)))
        assert len({row[0] for row in rows}) == 5


async def test_empty_pool_of_full_server_fails_immediately(
    settings: Settings, full_server: FullServer
) -> None:
    full_server.limit = 0
    async with Database(settings.database) as database, asyncio.timeout(2):
        with pytest.raises(UnavailableError, match="reached"):
            await Reader(database).fetch_one(SELECT_1)


async def test_pool_timeout_applies_to_full_server(
    settings: Settings, full_server: FullServer
) -> None:
    full_server.limit = 1
    limits = {"pool_min_size": 0, "pool_max_size": 2, "pool_timeout": 0.2}
    async with Database(settings.database.model_copy(update=limits)) as database:
        async with database.transaction() as transaction:
            await transaction.execute(SELECT_1)
            with pytest.raises(UnavailableError, match="Timed out"):
                await Reader(database).fetch_one(SELECT_1)
        assert (await Reader(database).fetch_one(SELECT_1))[0] == 1


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (FeatureNotSupportedError("standby"), UnavailableError),
        (ZeroDivisionError(), ZeroDivisionError),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
async def test_connection_that_fails_to_begin_is_replaced(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    raised: type[BaseException],
) -> None:
    pid = text("SELECT pg_backend_pid()")
    execute = asyncpg.Connection.execute

    async def fail_to_begin(
        self: asyncpg.Connection, query: str, *args: Any, **options: Any
    ) -> str:
        if query.startswith("BEGIN"):
            raise error
        return await execute(self, query, *args, **options)

    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        first = await Reader(database).fetch_one(pid)
        with monkeypatch.context() as patch:
            patch.setattr(asyncpg.Connection, "execute", fail_to_begin)
            with pytest.raises(raised):
                async with database.transaction() as transaction:
                    await transaction.execute(SELECT_1)
        async with database.transaction() as transaction:
            await transaction.execute(SELECT_1)
        assert (await Reader(database).fetch_one(pid))[0] != first[0]


async def test_feature_not_supported_is_unavailable_only_on_standby(database: Database) -> None:
    unsupported = text("DO $$BEGIN RAISE SQLSTATE '0A000'; END$$")
    with pytest.raises(Exception, match="0A000") as raised:
        async with database.transaction() as transaction:
            await transaction.execute(unsupported)
    assert not isinstance(raised.value, AppError)
