"""Tests use only databases that they have created."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.settings import load_settings
from dev.default_settings import clear_settings
from tests.databases import connected, create_database, drop_database
from tests.postgres import drop_from_configured_server, running_server

DATABASES = "SELECT datname FROM pg_database"
DEVELOPER_URL = "postgresql://me@localhost/precious"


@pytest.fixture(autouse=True)
def developer_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set `DATABASE_URL`, as in the shell of a developer."""
    monkeypatch.setenv("DATABASE_URL", DEVELOPER_URL)


def test_server_is_configured_or_embedded(
    monkeypatch: pytest.MonkeyPatch, server_data_dir: Path
) -> None:
    @contextmanager
    def embedded(*_: object, **__: object) -> Iterator[str]:
        yield "embedded"

    monkeypatch.setattr("tests.postgres.embedded_postgres", embedded)
    monkeypatch.setenv("TEST_DATABASE_URL", "configured")
    with running_server(server_data_dir) as server:
        assert server == "configured"
    monkeypatch.delenv("TEST_DATABASE_URL")
    with running_server(server_data_dir) as server:
        assert server == "embedded"


def test_settings_in_environment_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", dict(os.environ))
    assert load_settings().database.is_configured
    clear_settings()
    assert "DATABASE_URL" not in os.environ
    assert not load_settings().database.is_configured


async def test_database_is_dropped_from_configured_server(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", server)
    name = await create_database(server)
    await asyncio.to_thread(drop_from_configured_server, name)
    async with connected(server) as connection:
        assert name not in {row["datname"] for row in await connection.fetch(DATABASES)}


async def test_other_databases_are_not_dropped(server: str) -> None:
    with pytest.raises(ValueError, match="not a database of the tests"):
        await drop_database(server, "precious")
