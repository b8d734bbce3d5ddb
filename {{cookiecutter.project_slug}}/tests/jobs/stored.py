"""The jobs that are stored in the queue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from app.settings import Settings
from tests.databases import connected, url_from

TABLES = "jobs.pgqueuer, jobs.pgqueuer_log, jobs.pgqueuer_schedules, jobs.pgqueuer_statistics"


@asynccontextmanager
async def empty_queue(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the empty queue, and empty it at the end."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(f"TRUNCATE {TABLES}")
        yield connection
        await connection.execute(f"TRUNCATE {TABLES}")


async def stored_jobs(queue: asyncpg.Connection, name: str) -> list[bytes]:
    """Return the payloads of the jobs with a name."""
    rows = await queue.fetch("SELECT entrypoint, payload FROM jobs.pgqueuer ORDER BY id")
    return [row["payload"] for row in rows if row["entrypoint"] == name]
