"""The history of the schema: up, down and up again, from wherever it is run."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command

from app.readiness import MIGRATIONS
from tests.servers import ROOT, connected, migrate

HAS_MIGRATIONS = any(MIGRATIONS.glob("versions/*.py"))


def alembic(address: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Alembic's command line, as an operator does."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), *arguments],
        cwd=cwd,
        env={**os.environ, "DATABASE_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_runs(address: str, *arguments: str, cwd: Path = ROOT) -> str:
    result = alembic(address, *arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout


async def tables(address: str) -> set[str]:
    async with connected(address) as connection:
        found = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        return {row["tablename"] for row in found} - {"alembic_version"}


async def test_up_down_and_up_again(empty_database: str) -> None:
    await migrate(empty_database)
    first = await tables(empty_database)
    assert bool(first) is HAS_MIGRATIONS
    await migrate(empty_database, "base", command.downgrade)
    assert await tables(empty_database) == set()
    await migrate(empty_database)
    assert await tables(empty_database) == first


async def test_the_models_and_the_migrations_agree(empty_database: str) -> None:
    assert_runs(empty_database, "upgrade", "head")
    assert "No new upgrade operations" in assert_runs(empty_database, "check")


async def test_it_runs_from_another_folder(empty_database: str, tmp_path: Path) -> None:
    assert_runs(empty_database, "upgrade", "head", cwd=tmp_path)
    assert bool(await tables(empty_database)) is HAS_MIGRATIONS


def test_it_writes_sql_without_a_server() -> None:
    sql = assert_runs("postgresql://nobody@127.0.0.1:1/nothing", "upgrade", "head", "--sql")
    assert ("CREATE TABLE" in sql) is HAS_MIGRATIONS


async def test_several_at_once_make_one_history(empty_database: str) -> None:
    running = [asyncio.to_thread(alembic, empty_database, "upgrade", "head") for _ in range(3)]
    assert [result.returncode for result in await asyncio.gather(*running)] == [0, 0, 0]


def test_a_database_that_is_away_is_an_error() -> None:
    result = alembic("postgresql://nobody:hush@127.0.0.1:1/nothing", "upgrade", "head")
    assert result.returncode != 0
    assert "hush" not in result.stdout + result.stderr


@pytest.mark.parametrize("name", ["downgrade", "upgrade"])
def test_every_revision_can_go_both_ways(name: str) -> None:
    for revision in MIGRATIONS.glob("versions/*.py"):
        body = revision.read_text().split(f"def {name}() -> None:\n")[1]
        assert body.strip().splitlines()[0] != "pass", revision.name
