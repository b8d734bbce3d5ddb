"""Migrations: by several processes at once, and under the eyes of those who read."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from conftest import Project

from resilience.load import ARTICLES, client_of, control, create_article
from resilience.service_process import (
    Server,
    create_database,
    create_migrated_database,
    is_long,
    run,
    serving,
)

TIMES = 10 if is_long() else 2
PROCESSES = 12


async def test_several_processes_make_one_history(project: Project, server: Server) -> None:
    for _ in range(TIMES):
        database = await create_database(server)
        upgrade = "alembic", "upgrade", "head"
        variables = {"DATABASE_URL": server.url(database)}
        await asyncio.gather(*(run(project, *upgrade, **variables) for _ in range(PROCESSES)))
        async with control(server, database) as connection:
            assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
            assert await connection.fetchval("SELECT count(*) FROM redemptions") == 0
        assert "(head)" in await run(project, "alembic", "current", **variables)


async def test_a_migration_that_waits_long_for_a_table_fails_in_one_line(
    project: Project, server: Server
) -> None:
    database = await create_migrated_database(server, project)
    async with control(server, database) as connection, connection.transaction():
        await connection.execute("SELECT FROM articles")
        with pytest.raises(AssertionError) as raised:
            await run(project, "alembic", "downgrade", "base", DATABASE_URL=server.url(database))
    assert "FAILED: A migration waited too long for a lock" in str(raised.value)
    assert "Traceback" not in str(raised.value)
    assert "(head)" in await run(project, "alembic", "current", DATABASE_URL=server.url(database))


async def test_a_new_column_disturbs_no_reader(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    async with (
        serving(project, server.url(database), tmp_path / "log") as service,
        client_of(service) as client,
        control(server, database) as connection,
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
            for number in range(5 * TIMES):
                await asyncio.sleep(0.1)
                await connection.execute(f"ALTER TABLE articles ADD COLUMN new_{number} text")
            await asyncio.sleep(0.1)
            is_over = True
        assert statuses.keys() == {200}
