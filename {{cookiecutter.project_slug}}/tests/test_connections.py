"""Connections: how many there are, what the server is told, and what is said when one breaks."""

import asyncio
import logging

import pytest
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import Settings
from tests.databases import address_in, address_of, connected, settings_for

ANSWER = text("SELECT 1")
SLEEP = text("SELECT pg_sleep(5)")
SETTINGS = text("SELECT name, setting FROM pg_settings WHERE source = 'client'")
COUNT = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1
"""


async def test_the_server_knows_the_limits(settings: Settings) -> None:
    limits = {
        "application_name": "limited",
        "statement_timeout": 1.5,
        "lock_timeout": 2.5,
        "idle_in_transaction_timeout": 3.5,
    }
    async with Database(settings.database.model_copy(update=limits)) as database:
        found = {row.name: row.setting for row in await Reader(database).fetch_all(SETTINGS)}
    assert found["application_name"] == "limited"
    assert found["statement_timeout"] == "1500"
    assert found["lock_timeout"] == "2500"
    assert found["idle_in_transaction_session_timeout"] == "3500"


async def test_some_are_there_before_they_are_asked_for(settings: Settings) -> None:
    limits = {"application_name": "prepared", "pool_min_size": 3}
    async with (
        connected(address_in(settings)) as connection,
        Database(settings.database.model_copy(update=limits)),
        asyncio.timeout(30),
    ):
        while await connection.fetchval(COUNT, "prepared") < 3:
            await connection.execute("SELECT pg_sleep(0.05)")


async def test_an_error_is_not_hidden_by_a_rollback_that_fails(settings: Settings) -> None:
    pid = text("SELECT pg_backend_pid()")
    async with (
        connected(address_in(settings)) as connection,
        Database(settings.database) as database,
    ):
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as transaction:
                number = await transaction.scalar(pid)
                await connection.execute("SELECT pg_terminate_backend($1)", number)
                await asyncio.sleep(0.05)
                raise ZeroDivisionError


async def test_a_server_that_refuses_the_connection_is_away(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    address = address_of(address_in(settings), "nothing")
    async with Database(settings_for(address)) as database:
        with pytest.raises(UnavailableError, match="reached"):
            await Reader(database).fetch_one(ANSWER)
        with pytest.raises(UnavailableError, match="reached"):
            async with database.transaction() as transaction:
                await transaction.execute(ANSWER)
    reason = 'Cannot connect to the database: InvalidCatalogNameError(\'database "nothing"'
    assert reason in caplog.text


async def test_a_statement_has_a_limit(settings: Settings) -> None:
    limits = settings.database.model_copy(update={"statement_timeout": 0.1})
    async with Database(limits) as database:
        with pytest.raises(UnavailableError):
            await Reader(database).fetch_one(SLEEP)
        assert (await Reader(database).fetch_one(ANSWER))[0] == 1


async def test_a_server_that_is_silent_is_away(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.dsn._COMMAND_TIMEOUT_MARGIN", 0)
    # The statements go on when their connections have been dropped, until their database is.
    limits = settings_for(empty_database).model_copy(
        update={"statement_timeout": 0.2, "pool_max_size": 2}
    )
    async with Database(limits) as database:
        for _ in range(3):
            # So that it is not the server that ends a statement.
            with pytest.raises(UnavailableError, match="does not respond"):
                async with database.transaction() as transaction:
                    await transaction.execute(text("SET LOCAL statement_timeout = 0"))
                    await transaction.execute(SLEEP)
        assert (await Reader(database).fetch_one(ANSWER))[0] == 1


async def test_what_a_pool_does_inside_is_not_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with Database(settings.database) as database:
            assert (await Reader(database).fetch_one(ANSWER))[0] == 1
    assert not [record.message for record in caplog.records if "ool" in record.message]
