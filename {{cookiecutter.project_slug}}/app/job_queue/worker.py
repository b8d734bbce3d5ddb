"""The loop of a worker: connects and runs jobs, and connects again after an error."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Schedule
from pgqueuer.queries import Queries

from app.db.connection import connect
from app.job_queue.connection import connection_options
from app.job_queue.executor import JobExecutor, RunningAttempts
from app.job_queue.job import Job, JobContext
from app.job_queue.schema import CHANNEL, job_queries
from app.job_queue.settings import JobSettings

logger = logging.getLogger(__name__)

# Seconds from one attempt to connect to the next.
_RECONNECT_DELAY = 1


class JobWorker:
    """Runs the jobs of the queue in this process."""

    def __init__(
        self, jobs: Sequence[type[Job]], context: JobContext, *, heartbeat_timeout: float = 30
    ) -> None:
        """Other workers repeat the jobs of one that sends no heartbeat for `heartbeat_timeout` s.

        Raises `SettingsError` if notifications cannot reach the worker.
        """
        self._jobs = jobs
        self._context = context
        self._options = connection_options(context.settings)
        self._concurrency = context.settings.group(JobSettings).concurrency
        self._heartbeat_timeout = timedelta(seconds=heartbeat_timeout)
        self._attempts = RunningAttempts()
        self._stopping = asyncio.Event()
        self._queue: PgQueuer | None = None
        self._loop: asyncio.Task[None] | None = None

    @property
    def takes_jobs(self) -> bool:
        """True while the worker is connected and not about to stop."""
        return self._queue is not None and not self._stopping.is_set()

    def start(self) -> None:
        """Begin to run jobs."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self, within: float) -> None:
        """Take no more jobs, and wait for those that are running.

        Jobs that have not finished after `within` seconds return to the queue.
        """
        self._stopping.set()
        if self._queue is not None:
            self._queue.shutdown.set()
        if self._loop is not None:
            await asyncio.wait([self._loop], timeout=within)
            self._attempts.interrupt()
            await self._loop

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._run_until_disconnected()
            except Exception as error:  # noqa: BLE001 - the worker must continue
                # Of the server or the network. The jobs that it has interrupted are repeated when
                # their heartbeat has expired.
                logger.warning("Disconnected from the job queue, connecting again: %r", error)
            finally:
                self._queue = None
            with suppress(TimeoutError):
                async with asyncio.timeout(_RECONNECT_DELAY):
                    await self._stopping.wait()

    async def _run_until_disconnected(self) -> None:
        connection = await connect(**self._options)
        try:
            queries = job_queries(AsyncpgDriver(connection))
            self._queue = self._create_queue(queries)
            if self._stopping.is_set():
                return
            await self._queue.run(
                # PgQueuer allows at most half of the concurrent jobs in a batch.
                batch_size=self._concurrency // 2,
                max_concurrent_tasks=self._concurrency,
                heartbeat_timeout=self._heartbeat_timeout,
                shutdown_on_listener_failure=True,
            )
        finally:
            connection.terminate()

    def _create_queue(self, queries: Queries) -> PgQueuer:
        queue = PgQueuer(queries.driver, channel=CHANNEL, queries=queries)
        for job in self._jobs:
            executor = JobExecutor(job, self._context, self._attempts, queries)
            queue.qm.register_executor(job.job_name(), executor)
            if job.schedule is not None:
                queue.schedule(job.job_name(), job.schedule)(_enqueue_scheduled(queries))
        return queue


def _enqueue_scheduled(queries: Queries) -> Callable[[Schedule], Awaitable[None]]:
    async def enqueue(schedule: Schedule) -> None:
        # Not again while the previous one waits or runs.
        name = schedule.entrypoint
        await queries.enqueue(name, b"{}", dedupe_key=f"schedule:{name}", on_conflict="skip")

    return enqueue
