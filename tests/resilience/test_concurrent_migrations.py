"""Migrations run by several processes at once, and while the service serves reads."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from conftest import Project

from resilience import IS_LONG
from resilience.load import ARTICLES, create_article, open_client
from resilience.postgres_server import PostgresServer, create_database, create_migrated_database
from resilience.project_venv import run_module
from resilience.service_process import run_service

REPETITIONS = 10 if IS_LONG else 1
PROCESSES = 12 if IS_LONG else 4


async def test_concurrent_upgrades_run_each_migration_once(
    project: Project, server: PostgresServer
) -> None:
    for _ in range(REPETITIONS):
        database = await create_database(server)
        upgrade = "alembic", "upgrade", "head"
        variables = {"DATABASE_URL": server.url(database)}
        await asyncio.gather(
            *(run_module(project, *upgrade, **variables) for _ in range(PROCESSES))
        )
        async with server.superuser_connection(database) as superuser:
            assert await superuser.fetchval("SELECT count(*) FROM alembic_version") == 1
            assert await superuser.fetchval("SELECT count(*) FROM redemptions") == 0
        assert "(head)" in await run_module(project, "alembic", "current", **variables)


async def test_migration_lock_timeout_fails_with_one_line(
    project: Project, server: PostgresServer
) -> None:
    database = await create_migrated_database(server, project)
    async with server.superuser_connection(database) as superuser, superuser.transaction():
        await superuser.execute("SELECT FROM articles")
        with pytest.raises(AssertionError) as raised:
            await run_module(
                project, "alembic", "downgrade", "base", DATABASE_URL=server.url(database)
            )
    assert "FAILED: A migration waited too long for a lock" in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert "(head)" in await run_module(
        project, "alembic", "current", DATABASE_URL=server.url(database)
    )


async def test_adding_a_column_does_not_fail_reads(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    async with (
        run_service(project, server.url(database), tmp_path / "log") as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        article = await create_article(client)
        statuses: Counter[int] = Counter()
        is_over = False

        async def read() -> None:
            while not is_over:
                for path in (article, ARTICLES, f"{ARTICLES}?q=words"):
                    statuses[(await client.get(path)).status_code] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(read())
            for number in range(10 * REPETITIONS):
                await asyncio.sleep(0.1)
                await superuser.execute(f"ALTER TABLE articles ADD COLUMN new_{number} text")
            await asyncio.sleep(0.1)
            is_over = True
        assert statuses.keys() == {200}
