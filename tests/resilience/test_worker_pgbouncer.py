"""Jobs behind PgBouncer in transaction mode: the worker needs a direct connection."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from conftest import Project

from resilience.postgres_server import PostgresServer
from resilience.project_venv import venv_environment, venv_python
from resilience.test_pgbouncer import pooler
from resilience.worker_process import (
    create_job_tables,
    enqueue,
    run_workers,
    wait_for_jobs,
    worker_variables,
)

__all__ = ["pooler"]

NOT_DIRECT = "JOBS_DATABASE_URL must be set to a direct connection to PostgreSQL"


async def test_worker_runs_jobs_behind_a_pooler_with_a_direct_connection(
    project: Project,
    server: PostgresServer,
    pooler: PostgresServer,
    database: str,
    tmp_path: Path,
) -> None:
    await create_job_tables(server, database)
    variables = {"DB_POOLER": "pgbouncer", "JOBS_DATABASE_URL": server.url(database)}
    async with (
        server.superuser_connection(database) as superuser,
        run_workers(project, pooler.url(database), tmp_path, variables=variables) as [worker],
    ):
        await worker.wait_until_ready()
        await enqueue(superuser, "count", '{"key": "%s", "has_row": false}', 50)
        await wait_for_jobs(superuser, {})
        assert await superuser.fetchval("SELECT count(*) FROM done") == 50


@pytest.mark.parametrize("pooler_setting", ["pgbouncer", "none"])
async def test_worker_without_a_direct_connection_refuses_to_start(
    project: Project, pooler: PostgresServer, database: str, pooler_setting: str
) -> None:
    # With `none`, the URL leads to PgBouncer, and the setting does not say so.
    variables = worker_variables(pooler.url(database), DB_POOLER=pooler_setting)
    process = await asyncio.create_subprocess_exec(
        *(venv_python(project), "-m", "app.worker"),
        cwd=project.path,
        env=venv_environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 1
    assert NOT_DIRECT in output.decode()
