"""Workers that are killed, also by their handlers, lose no job and stop no other one."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest
from conftest import Project

from resilience import IS_LONG
from resilience.postgres_server import PostgresServer
from resilience.worker_process import (
    HEARTBEAT_TIMEOUT,
    WorkerPool,
    WorkerProcess,
    create_job_tables,
    enqueue,
    run_worker_pool,
    run_workers,
    wait_for_jobs,
)

JOBS = 2000 if IS_LONG else 300
COUNT_JOB = '{"key": "%s", "has_row": false, "duration": 0.2}'


async def kill_repeatedly(pool: WorkerPool, killed: list[int]) -> None:
    """Run three workers, and replace the oldest one each second, until cancelled."""
    running = [await pool.start_worker() for _ in range(3)]
    while True:
        await asyncio.sleep(1)
        killed.append(running.pop(0))
        os.kill(killed[-1], signal.SIGKILL)
        running.append(await pool.start_worker())


async def restart_when_killed(workers: list[WorkerProcess]) -> None:
    """Start workers again whose process has ended, until cancelled."""
    while True:
        await asyncio.sleep(0.1)
        for worker in workers:
            if worker.process is not None and worker.process.returncode is not None:
                await worker.start()


async def assert_counted_once(connection: asyncpg.Connection, number: int) -> None:
    """Assert that each job has taken effect once, and print how many have run more than once."""
    runs = await connection.fetchval("SELECT count(*) FROM runs WHERE name = 'count'")
    done = await connection.fetch("SELECT key FROM done")
    print(f"{runs - number} of {runs} runs were repetitions")
    assert sorted(int(row["key"]) for row in done) == list(range(1, number + 1))
    assert await connection.fetchval("SELECT value FROM counter") == number


async def test_killed_workers_lose_no_job(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    await create_job_tables(server, database)
    async with (
        server.superuser_connection(database) as superuser,
        run_worker_pool(project, server.url(database), tmp_path / "log") as pool,
    ):
        await enqueue(superuser, "count", COUNT_JOB, JOBS)
        killed: list[int] = []
        killing = asyncio.create_task(kill_repeatedly(pool, killed))
        try:
            await wait_for_jobs(superuser, {}, seconds=400)
        finally:
            killing.cancel()
        print(f"{len(killed)} workers killed")
        assert killed
        await assert_counted_once(superuser, JOBS)


@pytest.mark.thorough
async def test_job_that_kills_its_worker_is_given_up_without_its_neighbors(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    await create_job_tables(server, database)
    async with server.superuser_connection(database) as superuser:
        function = await superuser.fetchval(
            "SELECT pg_get_functiondef('jobs.count_lost_attempt'::regproc)"
        )
        # In proportion to the heartbeat timeout, which is 30 s in production.
        await superuser.execute(function.replace("30 seconds", f"{HEARTBEAT_TIMEOUT} seconds"))
        await enqueue(superuser, "countwithkill", COUNT_JOB, 4)
        await enqueue(superuser, "kill", "{}")
        await enqueue(superuser, "countwithkill", COUNT_JOB.replace("%s", "1%s"), 4)
        async with run_workers(project, server.url(database), tmp_path) as workers:
            restarting = asyncio.create_task(restart_when_killed(workers))
            try:
                await wait_for_jobs(superuser, {"kill failed": 1}, seconds=500)
            finally:
                restarting.cancel()
        # Each attempt has killed a worker. The last worker has only given up the job.
        assert await superuser.fetchval("SELECT count(*) FROM runs WHERE name = 'kill'") == 6
        assert await superuser.fetchval("SELECT count(*) FROM done") == 8
        traceback = await superuser.fetchval(
            "SELECT traceback ->> 'exception_type' FROM jobs.pgqueuer_log WHERE status = 'failed'"
        )
        assert traceback == "LostAttemptsError"


@pytest.mark.thorough
async def test_memory_error_is_repeated_and_kept(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    await create_job_tables(server, database)
    async with (
        server.superuser_connection(database) as superuser,
        run_workers(project, server.url(database), tmp_path) as workers,
    ):
        await enqueue(superuser, "exhaust", "{}")
        await enqueue(superuser, "count", COUNT_JOB, 20)
        await wait_for_jobs(superuser, {"exhaust failed": 1})

        await assert_counted_once(superuser, 20)
        assert await superuser.fetchval("SELECT count(*) FROM runs WHERE name = 'exhaust'") == 3
        assert workers[0].process is not None
        assert workers[0].process.returncode is None


@pytest.mark.thorough
async def test_handler_that_blocks_its_worker_longer_than_the_heartbeat_timeout(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    await create_job_tables(server, database)
    async with (
        server.superuser_connection(database) as superuser,
        run_workers(project, server.url(database), tmp_path, 2) as workers,
    ):
        for worker in workers:
            await worker.wait_until_ready()
        await enqueue(superuser, "block", f'{{"seconds": {HEARTBEAT_TIMEOUT * 3}}}')
        await enqueue(superuser, "count", COUNT_JOB, 20)
        await wait_for_jobs(superuser, {})

        await assert_counted_once(superuser, 20)
        runs = await superuser.fetchval("SELECT count(*) FROM runs WHERE name = 'block'")
        print(f"{runs} runs of the job that blocks")
        # The other worker has repeated it, but not more often than it may.
        assert 1 <= runs <= 3
