"""Liveness asks nobody; readiness asks the database, and compares its schema with the code's."""

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
from app.main import create_app
from app.readiness import MIGRATIONS, Readiness
from app.settings import ServiceSettings, Settings
from tests.databases import connected, migrate, settings_for

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

# Without migrations there is no schema to be behind.
BEHIND = 503 if any(MIGRATIONS.glob("versions/*.py")) else 200


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[tuple[FastAPI, AsyncClient]]:
    """An application as a server has it, and a client of it."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        yield app, client


async def readiness_with(address: str) -> int:
    database = settings_for(address).model_copy(update={"pool_min_size": 0})
    settings = Settings(service=ServiceSettings(), database=database)
    async with started(settings) as (_, client):
        assert (await client.get("/livez")).json() == {"status": "ok"}
        response = await client.get("/readyz")
        if response.status_code == 503:
            assert response.headers["Retry-After"] == "1"
        return response.status_code


async def set_revision(address: str, revision: str) -> None:
    async with connected(address) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
        await connection.execute("DELETE FROM alembic_version")
        await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_service_in_good_health_says_so(committing_client: AsyncClient, path: str) -> None:
    response = await committing_client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert (await committing_client.head(path)).status_code == 200


async def test_it_lives_but_is_not_ready_while_the_database_is_away() -> None:
    assert await readiness_with(NOWHERE) == 503


async def test_it_is_not_ready_while_it_stops(settings: Settings) -> None:
    async with started(settings) as (app, client):
        assert (await client.get("/readyz")).status_code == 200
        app.state.readiness.stop()
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200


async def test_a_shutdown_is_logged_once_and_not_at_each_probe(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with started(settings) as (app, client):
        caplog.clear()
        with caplog.at_level(logging.INFO, "app"):
            app.state.readiness.stop()
            for _ in range(3):
                assert (await client.get("/readyz")).status_code == 503
    lines = [
        (record.levelname, record.name)
        for record in caplog.records
        if record.name.startswith("app") and record.name not in {"app.access", "app.main"}
    ]
    assert lines == [("INFO", "app.readiness")]


async def test_it_is_ready_while_every_connection_is_busy(
    settings: Settings, database: Database
) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1, "application_name": "small"}
    small = settings.model_copy(update={"database": settings.database.model_copy(update=limits)})
    async with started(small) as (app, client), app.state.database.transaction() as transaction:
        await transaction.execute(text("SELECT 1"))
        responses = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
        assert {response.status_code for response in responses} == {200}
        count = text(
            "SELECT count(*) AS number FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'small'"
        )
        assert (await Reader(database).fetch_one(count)).number == 2


async def test_it_is_not_ready_when_the_answer_does_not_come(
    committing_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Reader, "fetch_all", wait)
    monkeypatch.setattr("app.readiness._DEADLINE", 0.1)
    async with asyncio.timeout(30):
        assert (await committing_client.get("/readyz")).status_code == 503


async def test_it_is_not_ready_on_a_database_without_a_schema(empty_database: str) -> None:
    assert await readiness_with(empty_database) == BEHIND


async def test_it_is_ready_once_the_schema_is_there(empty_database: str) -> None:
    await migrate(empty_database)
    assert await readiness_with(empty_database) == 200


async def test_it_is_ready_on_a_schema_newer_than_its_code(empty_database: str) -> None:
    await set_revision(empty_database, "of_a_later_release")
    assert await readiness_with(empty_database) == 200


@pytest.mark.parametrize(
    ("annotation", "before"), [("", "'before'"), (": str | None", "('before', 'beside')")]
)
async def test_it_is_not_ready_on_a_schema_older_than_its_code(
    empty_database: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    annotation: str,
    before: str,
) -> None:
    monkeypatch.setattr("app.readiness.MIGRATIONS", tmp_path)
    revisions = tmp_path / "versions"
    revisions.mkdir()
    (revisions / "before.py").write_text("down_revision = None\n", "utf-8")
    (revisions / "now.py").write_text(f"down_revision{annotation} = {before}\n", "utf-8")
    await set_revision(empty_database, "before")
    assert await readiness_with(empty_database) == 503
    await set_revision(empty_database, "now")
    assert await readiness_with(empty_database) == 200


def test_what_is_no_migration_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.readiness.MIGRATIONS", tmp_path)
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "notes.py").write_text("notes = None\n", "utf-8")
    with pytest.raises(ValueError, match="no down_revision"):
        Readiness(settings_for(NOWHERE))
