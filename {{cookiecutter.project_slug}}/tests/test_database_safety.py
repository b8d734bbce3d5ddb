"""The tests keep away from every database that they did not make."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.settings import load_settings
from tests.databases import connected, create_database, drop_database
from tests.postgres import drop_from_given_server, running_server
from tests.service_settings import forget_settings

DATABASES = "SELECT datname FROM pg_database"
SOMEBODYS = "postgresql://me@localhost/what_somebody_needs"


@pytest.fixture(autouse=True)
def settings_of_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in which a developer works."""
    monkeypatch.setenv("DATABASE_URL", SOMEBODYS)


def test_a_server_is_given_or_embedded(
    monkeypatch: pytest.MonkeyPatch, server_data_dir: Path
) -> None:
    @contextmanager
    def embedded(*_: object, **__: object) -> Iterator[str]:
        yield "an embedded one"

    monkeypatch.setattr("tests.postgres.embedded_postgres", embedded)
    monkeypatch.setenv("TEST_DATABASE_URL", "a given one")
    with running_server(server_data_dir) as server:
        assert server == "a given one"
    monkeypatch.delenv("TEST_DATABASE_URL")
    with running_server(server_data_dir) as server:
        assert server == "an embedded one"


def test_no_setting_of_the_environment_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", dict(os.environ))
    assert load_settings().database.is_configured
    forget_settings()
    assert "DATABASE_URL" not in os.environ
    assert not load_settings().database.is_configured


async def test_nothing_is_left_on_a_given_server(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", server)
    name = await create_database(server)
    await asyncio.to_thread(drop_from_given_server, name)
    async with connected(server) as connection:
        assert name not in {row["datname"] for row in await connection.fetch(DATABASES)}


async def test_only_a_database_of_the_tests_is_dropped(server: str) -> None:
    with pytest.raises(ValueError, match="not a database of the tests"):
        await drop_database(server, "what_nobody_needs")
