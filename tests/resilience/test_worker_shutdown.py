"""A worker ends within SHUTDOWN_TIMEOUT after SIGTERM, and its jobs are repeated."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from conftest import Project
from httpx2 import AsyncClient

from resilience.postgres_server import PostgresServer, create_database
from resilience.project_venv import run_module
from resilience.test_database_outage import DatabaseSwitch
from resilience.worker_process import create_job_tables, enqueue, run_workers, wait_for_jobs

TIMEOUT = 13
# For the start and the end of the interpreter, on a busy machine.
MARGIN = 4
COUNT_JOB = '{"key": "1", "has_row": false, "duration": %s}'
# The name and the payload of a job, and the statuses that it may have after the shutdown.
HANDLERS = {
    "finishes": ("count", COUNT_JOB % 1, []),
    "is-interrupted": ("count", COUNT_JOB % 50, [("count", "queued", 0)]),
    "ignores-cancellation": ("stubborn", "{}", [("stubborn", "picked", 0)]),
    "blocks": ("block", '{"seconds": 60}', [("block", "picked", 0)]),
}
SETTINGS = {"SHUTDOWN_TIMEOUT": str(TIMEOUT)}


async def wait_for_run(connection: asyncpg.Connection) -> None:
    """Wait until a handler has recorded that it runs."""
    async with asyncio.timeout(60):
        while not await connection.fetchval("SELECT count(*) FROM runs"):
            await asyncio.sleep(0.05)


async def stored_jobs(connection: asyncpg.Connection) -> list[tuple[str, str, int]]:
    rows = await connection.fetch("SELECT entrypoint, status::text, attempts FROM jobs.pgqueuer")
    return [tuple(row) for row in rows]


@asynccontextmanager
async def suspended_connections(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Suspend the server processes of the service, which then do not respond."""
    pids = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE usename = 'service'")
    for row in pids:
        os.kill(row["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        for row in pids:
            os.kill(row["pid"], signal.SIGCONT)


@pytest.mark.parametrize(
    ("handler", "signals", "is_suspended"),
    [
        ("is-interrupted", 2, False),
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in [
                ("finishes", 1, False),
                ("is-interrupted", 1, False),
                ("is-interrupted", 1, True),
                ("ignores-cancellation", 1, False),
                ("ignores-cancellation", 2, False),
                ("blocks", 1, False),
            ]
        ),
    ],
)
async def test_shutdown_is_bounded_and_keeps_the_job(
    project: Project,
    server: PostgresServer,
    database: str,
    tmp_path: Path,
    handler: str,
    signals: int,
    *,
    is_suspended: bool,
) -> None:
    await create_job_tables(server, database)
    name, payload, expected = HANDLERS[handler]
    async with (
        server.superuser_connection(database) as superuser,
        run_workers(project, server.url(database), tmp_path, variables=SETTINGS) as [worker],
    ):
        await enqueue(superuser, name, payload)
        await wait_for_run(superuser)
        fault = suspended_connections(superuser) if is_suspended else nullcontext()
        async with fault:
            seconds = await worker.stop(signals=signals)
        print(f"{handler}: {seconds:.1f} s")
        assert seconds < TIMEOUT + MARGIN
        if is_suspended:
            # The server may have received the statement that returns the job.
            assert [job[0] for job in await stored_jobs(superuser)] == ["count"]
            return
        assert await stored_jobs(superuser) == expected
        if handler == "is-interrupted":
            async with run_workers(project, server.url(database), tmp_path):
                await superuser.execute(
                    "UPDATE jobs.pgqueuer SET payload = convert_to($1, 'UTF8')", COUNT_JOB % 0
                )
                await wait_for_jobs(superuser, {})
            assert await superuser.fetchval("SELECT count(*) FROM done") == 1


@pytest.mark.thorough
@pytest.mark.parametrize("delay", [0, 0.5, 1, 1.5, 2])
async def test_worker_that_is_not_ready_can_be_stopped(
    project: Project, server: PostgresServer, database: str, tmp_path: Path, delay: float
) -> None:
    await create_job_tables(server, database)
    async with (
        server.superuser_connection(database) as superuser,
        run_workers(project, server.url(database), tmp_path, variables=SETTINGS) as [worker],
    ):
        await enqueue(superuser, "count", COUNT_JOB % 50)
        await asyncio.sleep(delay)
        assert await worker.stop() < TIMEOUT + MARGIN
        # A worker that was not yet ready to return the job leaves it.
        [(_, status, attempts)] = await stored_jobs(superuser)
        assert status in {"queued", "picked"}
        assert attempts == 0


@pytest.mark.thorough
async def test_worker_stops_while_the_server_is_down(project: Project, tmp_path: Path) -> None:
    switch = DatabaseSwitch(project, tmp_path / "postgres")
    server = await switch.start()
    database = await create_database(server)
    await run_module(project, "alembic", "upgrade", "head", DATABASE_URL=server.url(database))
    await create_job_tables(server, database)
    async with run_workers(project, server.url(database), tmp_path, variables=SETTINGS) as [worker]:
        async with server.superuser_connection(database) as superuser:
            await enqueue(superuser, "count", COUNT_JOB % 50)
            await wait_for_run(superuser)
        await switch.stop()
        await asyncio.sleep(2)
        assert await worker.stop() < TIMEOUT + MARGIN
    server = await switch.start()
    async with server.superuser_connection(database) as superuser:
        [(_, status, _)] = await stored_jobs(superuser)
        assert status in {"queued", "picked"}
    await switch.stop()


async def test_worker_waits_for_the_migrations(
    project: Project, server: PostgresServer, tmp_path: Path
) -> None:
    database = await create_database(server)
    url = server.url(database)
    async with run_workers(project, url, tmp_path) as [worker], AsyncClient() as client:
        async with asyncio.timeout(60):
            while await worker.readiness(client) == 0:
                await asyncio.sleep(0.05)
        start = monotonic()
        while monotonic() - start < 2:
            assert await worker.readiness(client) == 503
            await asyncio.sleep(0.05)
        await run_module(project, "alembic", "upgrade", "head", DATABASE_URL=url)
        await create_job_tables(server, database)
        async with server.superuser_connection(database) as superuser:
            await enqueue(superuser, "count", COUNT_JOB % 0)
            await wait_for_jobs(superuser, {})
            assert await superuser.fetchval("SELECT count(*) FROM done") == 1
        await worker.wait_until_ready()
        assert "run the migrations" in worker.text
