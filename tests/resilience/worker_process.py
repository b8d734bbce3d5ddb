"""Workers of a generated project as processes, and the tables in which their jobs record runs."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import asyncpg
from conftest import Project
from httpx2 import AsyncClient

from resilience.postgres_server import PostgresServer
from resilience.project_venv import venv_environment, venv_python
from resilience.service_process import PRODUCTION

#: Seconds after which other workers repeat the jobs of a killed one.
HEARTBEAT_TIMEOUT = 2
TABLES = """
CREATE TABLE runs (job_id bigint NOT NULL, name text NOT NULL, at timestamptz DEFAULT now());
CREATE TABLE done (job_id bigint PRIMARY KEY, key text NOT NULL);
CREATE TABLE orphans (key text NOT NULL);
CREATE TABLE counter (value integer NOT NULL);
INSERT INTO counter VALUES (0);
"""


async def create_job_tables(server: PostgresServer, database: str) -> None:
    """Create the tables that `in_venv/fault_jobs.py` uses."""
    connection = await asyncpg.connect(server.url(database))
    await connection.execute(TABLES)
    await connection.close()


@dataclass
class WorkerProcess:
    """A worker, whose processes share a log."""

    project: Project
    variables: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    #: Size of the log when the process was started.
    log_start: int = 0

    async def start(self) -> None:
        """Start the process, and do not wait until it is ready."""
        with self.log.open("ab") as output:
            self.log_start = output.tell()
            self.process = await asyncio.create_subprocess_exec(
                *(venv_python(self.project), "-m", "fault_worker"),
                cwd=self.project.path,
                env=venv_environment(**self.variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def wait_until_ready(self) -> None:
        """Wait until `/readyz` responds with 200."""
        async with asyncio.timeout(60), AsyncClient() as client:
            while await self.readiness(client) != 200:
                assert self.process is None or self.process.returncode is None, self.text
                await asyncio.sleep(0.05)

    async def readiness(self, client: AsyncClient) -> int:
        """Return the status of `/readyz`, or 0 before the worker has a port."""
        found = re.search(r"running on (http://[0-9.:]+)", self.text)
        return (await client.get(f"{found[1]}/readyz")).status_code if found else 0

    @property
    def text(self) -> str:
        """The log of the process so far."""
        return self.log.read_bytes()[self.log_start :].decode()

    async def kill(self) -> None:
        """Kill the process."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self, *, signals: int = 1) -> float:
        """Send SIGTERM, and return the seconds until the process has ended."""
        assert self.process is not None
        start = monotonic()
        for _ in range(signals):
            self.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
        async with asyncio.timeout(60):
            await self.process.wait()
        return monotonic() - start


def worker_variables(url: str, **variables: str) -> dict[str, str]:
    """Return the environment variables of a worker."""
    heartbeat = {"HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT)}
    return PRODUCTION | {"DATABASE_URL": url} | heartbeat | variables


@asynccontextmanager
async def run_workers(
    project: Project, url: str, folder: Path, number: int = 1, *, variables: Mapping[str, str] = {}
) -> AsyncIterator[list[WorkerProcess]]:
    """Start workers, and kill those that still run at the end."""
    environment = worker_variables(url, **variables)
    workers = [WorkerProcess(project, environment, folder / f"worker-{i}") for i in range(number)]
    try:
        for worker in workers:
            await worker.start()
        yield workers
    finally:
        for worker in workers:
            await worker.kill()


@dataclass
class WorkerPool:
    """Workers that start within milliseconds, see `in_venv/fork_workers.py`."""

    process: asyncio.subprocess.Process

    async def start_worker(self) -> int:
        """Start a worker, and return its process ID."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"start\n")
        return int(await self.process.stdout.readline())


@asynccontextmanager
async def run_worker_pool(project: Project, url: str, log: Path) -> AsyncIterator[WorkerPool]:
    """Run a pool of workers, which are killed at the end."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(venv_python(project), "-m", "fork_workers"),
            cwd=project.path,
            env=venv_environment(**worker_variables(url)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
        )
    try:
        yield WorkerPool(process)
    finally:
        assert process.stdin
        process.stdin.close()
        assert await process.wait() == 0, log.read_text("utf-8")


async def enqueue(connection: asyncpg.Connection, name: str, payload: str, number: int = 1) -> None:
    """Enqueue jobs with SQL, as `JobQueue` does. `%s` in the payload is the number of the job."""
    await connection.execute(
        "INSERT INTO jobs.pgqueuer (priority, status, entrypoint, payload, headers)"
        " SELECT 0, 'queued', $1, convert_to(replace($2, '%s', n::text), 'UTF8'), '{}'"
        " FROM generate_series(1, $3::integer) AS n",
        name,
        payload,
        number,
    )


async def count_jobs(connection: asyncpg.Connection) -> dict[str, int]:
    """Return the numbers of jobs by name and status."""
    query = "SELECT entrypoint || ' ' || status AS kind, count(*) FROM jobs.pgqueuer GROUP BY kind"
    return {row["kind"]: row["count"] for row in await connection.fetch(query)}


async def wait_for_jobs(
    connection: asyncpg.Connection, expected: dict[str, int], seconds: float = 120
) -> None:
    """Wait until the queue has exactly these numbers of jobs by name and status."""
    found: dict[str, int] = {}
    try:
        async with asyncio.timeout(seconds):
            while (found := await count_jobs(connection)) != expected:
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(found) from None
