"""Jobs for the resilience tests. They record their runs in the tables of `jobs_database.py`."""

import asyncio
import os
import signal
import time
from typing import ClassVar

from sqlalchemy import text

from app.job_queue import Job, JobContext

RECORD_RUN = text("INSERT INTO runs (job_id, name) VALUES (:job_id, :name) RETURNING job_id")
RECORD_DONE = text(
    "INSERT INTO done (job_id, key) VALUES (:job_id, :key) ON CONFLICT DO NOTHING RETURNING job_id"
)
COUNT = text("UPDATE counter SET value = value + 1 RETURNING value")
FIND_ROW = text("SELECT id FROM articles WHERE slug = :key")
RECORD_ORPHAN = text("INSERT INTO orphans (key) VALUES (:key) RETURNING key")


class FaultJob(Job):
    """Base class: records each run, in a separate transaction."""

    max_attempts: ClassVar[int] = 3
    retry_delay: ClassVar[float] = 0.1

    @classmethod
    def job_name(cls) -> str:
        return cls.__name__.lower()

    async def run(self, context: JobContext) -> None:
        """Record the run."""
        async with context.database.transaction() as transaction:
            values = {"job_id": context.job_id, "name": self.job_name()}
            await transaction.fetch_all(RECORD_RUN, **values)


class Count(FaultJob):
    """Increments the counter once for each job, in the documented way.

    Its key is the slug of an article that the same transaction has created.
    """

    max_attempts: ClassVar[int] = 8
    key: str
    #: In seconds.
    duration: float = 0.0
    has_row: bool = True

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        await asyncio.sleep(self.duration)
        async with context.database.transaction() as transaction:
            if self.has_row and not await transaction.fetch_all(FIND_ROW, key=self.key):
                await transaction.fetch_all(RECORD_ORPHAN, key=self.key)
            values = {"job_id": context.job_id, "key": self.key}
            if await transaction.fetch_all(RECORD_DONE, **values):
                await transaction.fetch_all(COUNT)


class CountWithKill(Count):
    """Has no more attempts than the job that kills the worker."""

    max_attempts: ClassVar[int] = 6


class Kill(FaultJob):
    """Kills its process, as the kernel does if there is no memory left."""

    max_attempts: ClassVar[int] = 6

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        os.kill(os.getpid(), signal.SIGKILL)


class Exhaust(FaultJob):
    """Allocates more memory than the process may have."""

    async def run(self, context: JobContext) -> None:
        # Missing on Windows, where these tests do not run.
        import resource

        await super().run(context)
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, hard))
        try:
            bytearray(16 * 2**30)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class Block(FaultJob):
    """Blocks the event loop, so that the worker sends no heartbeats and handles no signals."""

    seconds: float

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        time.sleep(self.seconds)


class Stubborn(FaultJob):
    """Ignores its cancellation."""

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue


class NewYear(FaultJob):
    """Has a schedule, like a job of the service. PgQueuer polls each second if no job has one."""

    schedule: ClassVar[str | None] = "0 0 1 1 *"


JOBS: list[type[Job]] = [Count, CountWithKill, Kill, Exhaust, Block, Stubborn, NewYear]
