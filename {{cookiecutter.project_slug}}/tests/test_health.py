"""Health checks: `/livez` needs no database; `/readyz` checks the database and its schema."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.db.revisions import migration_files, superseded_revisions
from app.main import create_app
from app.settings import ServiceSettings, Settings
from tests.databases import connected, database_settings, migrate

UNREACHABLE = "postgresql://user@127.0.0.1:1/unreachable"


@asynccontextmanager
async def started_app(settings: Settings) -> AsyncIterator[tuple[FastAPI, AsyncClient]]:
    """Start an application; yield it and a client."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        yield app, client


async def readyz_status(database_url: str) -> int:
    """Return the status of `/readyz` with this database. Checks that `/livez` succeeds."""
    database = database_settings(database_url).model_copy(update={"pool_min_size": 0})
    settings = Settings(service=ServiceSettings(), database=database)
    async with started_app(settings) as (_, client):
        assert (await client.get("/livez")).json() == {"status": "ok"}
        response = await client.get("/readyz")
        if response.status_code == 503:
            assert response.headers["Retry-After"] == "1"
        return response.status_code


async def set_revision(database_url: str, revision: str) -> None:
    """Set the revision of a database as Alembic would."""
    async with connected(database_url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
        await connection.execute("DELETE FROM alembic_version")
        await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder that replaces `migrations/versions`."""
    monkeypatch.setattr("app.db.revisions.MIGRATIONS", tmp_path)
    versions = tmp_path / "versions"
    versions.mkdir()
    return versions


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probe_succeeds(committing_client: AsyncClient, path: str) -> None:
    response = await committing_client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert (await committing_client.head(path)).status_code == 200


async def test_unreachable_database_is_not_ready() -> None:
    assert await readyz_status(UNREACHABLE) == 503


async def test_draining_process_is_live_but_not_ready(settings: Settings) -> None:
    async with started_app(settings) as (app, client):
        assert (await client.get("/readyz")).status_code == 200
        app.state.readiness.start_draining()
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200


async def test_shutdown_is_logged_once_and_not_for_each_probe(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with started_app(settings) as (app, client):
        caplog.clear()
        with caplog.at_level(logging.INFO, "app"):
            app.state.readiness.start_draining()
            for _ in range(3):
                assert (await client.get("/readyz")).status_code == 503
    lines = [
        (record.levelname, record.name)
        for record in caplog.records
        if record.name.startswith("app") and record.name not in {"app.access", "app.main"}
    ]
    assert lines == [("INFO", "app.readiness")]


async def test_busy_pool_is_ready(settings: Settings, database: Database) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1, "application_name": "busy"}
    busy = settings.model_copy(update={"database": settings.database.model_copy(update=limits)})
    async with (
        started_app(busy) as (app, client),
        app.state.database.transaction() as transaction,
    ):
        await transaction.execute(text("SELECT 1"))
        responses = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
        assert {response.status_code for response in responses} == {200}
        count = text(
            "SELECT count(*) AS number FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'busy'"
        )
        # One connection of the pool, and one that all probes share.
        assert (await Reader(database).fetch_one(count)).number == 2


async def test_unresponsive_database_is_not_ready(
    committing_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never_return(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Reader, "fetch_all", never_return)
    monkeypatch.setattr("app.readiness._TIMEOUT", 0.1)
    async with asyncio.timeout(30):
        assert (await committing_client.get("/readyz")).status_code == 503


async def test_database_without_schema_is_ready_only_if_there_are_no_migrations(
    empty_database: str,
) -> None:
    assert await readyz_status(empty_database) == (503 if migration_files() else 200)


async def test_current_schema_is_ready(empty_database: str) -> None:
    await migrate(empty_database)
    assert await readyz_status(empty_database) == 200


async def test_newer_schema_is_ready(empty_database: str) -> None:
    await set_revision(empty_database, "of_a_later_release")
    assert await readyz_status(empty_database) == 200


@pytest.mark.parametrize(
    "down_revision",
    [
        "down_revision = 'old'",
        "down_revision: str | None = 'old'",
        "down_revision: tuple[str, ...] = (\n    'old',\n    'merged',\n)",
    ],
)
async def test_older_schema_is_not_ready(
    empty_database: str, versions: Path, down_revision: str
) -> None:
    (versions / "old.py").write_text("down_revision = None\n", "utf-8")
    (versions / "new.py").write_text(f"{down_revision}\n", "utf-8")
    await set_revision(empty_database, "old")
    assert await readyz_status(empty_database) == 503
    await set_revision(empty_database, "new")
    assert await readyz_status(empty_database) == 200


def test_file_without_down_revision_is_rejected(versions: Path) -> None:
    (versions / "notes.py").write_text("notes = None\n", "utf-8")
    with pytest.raises(ValueError, match="no down_revision"):
        superseded_revisions(migration_files())
