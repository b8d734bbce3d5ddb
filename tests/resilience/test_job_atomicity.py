"""Jobs exist exactly if the transaction that enqueued them was committed."""

import asyncio
import random
import subprocess
from collections import Counter
from pathlib import Path

import asyncpg
from conftest import Project

from resilience import IS_LONG
from resilience.postgres_server import PostgresServer
from resilience.project_venv import venv_environment, venv_python

UNITS = 1000 if IS_LONG else 150
PROCESSES = 12 if IS_LONG else 2


async def run_units(
    project: Project, url: str, log: Path, number: int, *, kill: bool
) -> Counter[str]:
    """Run units of work in a process, which is killed at a random time; return the outcomes."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(venv_python(project), "-m", "units_of_work", str(number)),
            cwd=project.path,
            env=venv_environment(DATABASE_URL=url, DB_POOL_MAX_SIZE="8"),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout
    outcomes = Counter([(await process.stdout.readline()).decode().strip()])
    if kill:
        await asyncio.sleep(random.uniform(0, 0.5))
        process.kill()
    rest = await process.stdout.read()
    assert await process.wait() in {0, -9}, log.read_text("utf-8")
    return outcomes + Counter(rest.decode().split())


async def terminate_connections(superuser: asyncpg.Connection) -> int:
    """Terminate a random connection of the service every 30 ms until cancelled."""
    while True:
        await asyncio.sleep(0.03)
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'service' AND datname = current_database()"
            " ORDER BY random() LIMIT 1"
        )


async def test_jobs_are_those_whose_rows_were_committed(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    url, log, number = server.url(database), tmp_path / "log", 0
    outcomes: Counter[str] = Counter()
    async with server.superuser_connection(database) as superuser:
        while outcomes.total() < UNITS or number < PROCESSES:
            number += 1
            terminating = asyncio.create_task(terminate_connections(superuser))
            # Every second process is killed, long before its last unit. The others finish theirs.
            kill = number % 2 == 1
            units = 100 * UNITS if kill else UNITS // PROCESSES * 2
            outcomes += await run_units(project, url, log, units, kill=kill)
            terminating.cancel()
            await asyncio.wait([terminating])

        rows = {row["slug"] for row in await superuser.fetch("SELECT slug FROM articles")}
        jobs = await superuser.fetch(
            "SELECT convert_from(payload, 'UTF8')::jsonb ->> 'key' AS key FROM jobs.pgqueuer"
        )
    stored = Counter(slug.rpartition("-")[2] for slug in rows)
    print(dict(outcomes), dict(stored))
    assert sorted(job["key"] for job in jobs) == sorted(rows)
    assert not rows & {slug for slug in rows if slug.endswith(("-exception", "-discarded"))}
    # Some of each kind, so that the faults came early and late.
    assert outcomes["commit"] > stored["commit"] > 0
    assert outcomes["cancel"] > stored["cancel"] > 0
    assert stored["kept"] > 0
