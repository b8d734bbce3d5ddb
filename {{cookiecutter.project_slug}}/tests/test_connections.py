"""Connections: session settings, number at startup, and errors if one is unusable."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ResourceClosedError

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import Settings
from tests.databases import connected, database_settings, database_url, url_from
from tests.waiting import wait_until

SELECT_1 = text("SELECT 1")
SLEEP = text("SELECT pg_sleep(5)")
SETTINGS = text("SELECT name, setting FROM pg_settings WHERE source = 'client'")
HAS_THREE_CONNECTIONS = """
SELECT count(*) >= 3 FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1
"""


async def test_timeouts_are_session_settings(settings: Settings) -> None:
    limits = {
        "application_name": "limited",
        "statement_timeout": 1.5,
        "lock_timeout": 2.5,
        "idle_in_transaction_timeout": 3.5,
    }
    async with Database(settings.database.model_copy(update=limits)) as database:
        rows = await Reader(database).fetch_all(SETTINGS)
    found = {row.name: row.setting for row in rows}
    assert found["application_name"] == "limited"
    assert found["statement_timeout"] == "1500"
    assert found["lock_timeout"] == "2500"
    assert found["idle_in_transaction_session_timeout"] == "3500"


async def test_pool_opens_minimum_connections_at_startup(settings: Settings) -> None:
    limits = {"application_name": "warm", "pool_min_size": 3}
    async with (
        connected(url_from(settings)) as connection,
        Database(settings.database.model_copy(update=limits)),
    ):
        await wait_until(lambda: connection.fetchval(HAS_THREE_CONNECTIONS, "warm"))


async def test_failed_rollback_does_not_hide_original_error(settings: Settings) -> None:
    pid = text("SELECT pg_backend_pid()")
    async with (
        connected(url_from(settings)) as connection,
        Database(settings.database) as database,
    ):
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as transaction:
                number = await transaction.scalar(pid)
                await connection.execute("SELECT pg_terminate_backend($1)", number)
                await asyncio.sleep(0.05)
                raise ZeroDivisionError


async def test_refused_connection_raises_unavailable(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    url = database_url(url_from(settings), "missing")
    async with Database(database_settings(url)) as database:
        with pytest.raises(UnavailableError, match="reached"):
            await Reader(database).fetch_one(SELECT_1)
        with pytest.raises(UnavailableError, match="reached"):
            async with database.transaction() as transaction:
                await transaction.execute(SELECT_1)
    reason = 'Cannot connect to the database: InvalidCatalogNameError(\'database "missing"'
    assert reason in caplog.text


async def test_lost_connection_is_not_logged_as_a_failed_rollback(
    settings: Settings, pool_of_two: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(url_from(settings)) as connection:
        with pytest.raises(UnavailableError):
            async with pool_of_two.transaction() as transaction, transaction.savepoint():
                number = await transaction.scalar(text("SELECT pg_backend_pid()"))
                await connection.execute("SELECT pg_terminate_backend($1)", number)
                await transaction.execute(SELECT_1)
    assert "Rollback failed" not in caplog.text


@pytest.mark.parametrize("borrow", [Database.connection, Database.search])
async def test_returned_connection_cannot_be_used(
    pool_of_two: Database, borrow: Callable[[Database], AbstractAsyncContextManager[Any]]
) -> None:
    async with borrow(pool_of_two) as connection:
        await connection.execute(SELECT_1)
    with pytest.raises(ResourceClosedError):
        await connection.execute(SELECT_1)


async def test_statement_timeout_raises_unavailable(settings: Settings) -> None:
    limits = settings.database.model_copy(update={"statement_timeout": 0.1})
    async with Database(limits) as database:
        with pytest.raises(UnavailableError):
            await Reader(database).fetch_one(SLEEP)
        assert (await Reader(database).fetch_one(SELECT_1))[0] == 1


async def test_unresponsive_server_raises_unavailable(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.dsn._COMMAND_TIMEOUT_MARGIN", 0)
    # The server keeps running the statements after their connections are terminated, until the
    # fixture drops their database.
    limits = database_settings(empty_database).model_copy(
        update={"statement_timeout": 0.2, "pool_max_size": 2}
    )
    async with Database(limits) as database:
        for _ in range(3):
            with pytest.raises(UnavailableError, match="does not respond"):
                async with database.transaction() as transaction:
                    # Without the timeout of the server, that of the client applies.
                    await transaction.execute(text("SET LOCAL statement_timeout = 0"))
                    await transaction.execute(SLEEP)

        async def can_read() -> bool:
            try:
                return bool((await Reader(database).fetch_one(SELECT_1))[0] == 1)
            except UnavailableError as error:
                # On a busy machine, this statement may also exceed the timeout of the client.
                if "does not respond" not in str(error):
                    raise
                return False

        await wait_until(can_read)


async def test_pool_internals_are_not_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with Database(settings.database) as database:
            assert (await Reader(database).fetch_one(SELECT_1))[0] == 1
    assert not [record for record in caplog.records if "pool" in record.getMessage().lower()]
