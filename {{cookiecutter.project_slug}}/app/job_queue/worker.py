"""The loop of a worker: connects and runs jobs, and connects again after an error."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from pgqueuer import PgQueuer
from pgqueuer.models import Schedule

from app.db.connection import connect
from app.errors import UnavailableError
from app.job_queue.connection import WorkerDriver, connection_options
from app.job_queue.executor import JobExecutor, RunningAttempts
from app.job_queue.job import Job, JobContext
from app.job_queue.queries import JobQueries
from app.job_queue.schema import CHANNEL, job_queries
from app.job_queue.settings import JobSettings

logger = logging.getLogger(__name__)

# Seconds from one attempt to connect to the next.
_RECONNECT_DELAY = 1
# Seconds for jobs to return to the queue, and for the loop to end without a connection.
_RETURN_TIMEOUT = 2
_END_TIMEOUT = 1
#: Seconds that `JobWorker.stop` may take longer than its limit for the jobs.
STOP_RESERVE = _RETURN_TIMEOUT + _END_TIMEOUT


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
        self._driver: WorkerDriver | None = None
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

        Jobs that have not finished after `within` seconds return to the queue. If that is not
        possible, within `STOP_RESERVE` more, other workers repeat them.
        """
        self._stopping.set()
        if self._queue is not None:
            self._queue.shutdown.set()
        if self._loop is None:
            return
        await asyncio.wait([self._loop], timeout=within)
        self._attempts.interrupt()
        await asyncio.wait([self._loop], timeout=_RETURN_TIMEOUT)
        if self._driver is not None:
            # The server does not respond, or a handler ignores its cancellation.
            self._driver.terminate()
            await asyncio.wait([self._loop], timeout=_END_TIMEOUT)
        if not self._loop.done():
            logger.error("A job ignores its cancellation. It is repeated after its heartbeat.")

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
        driver = self._driver = WorkerDriver(connection)
        try:
            if not await driver.fetch("SELECT FROM pg_namespace WHERE nspname = 'jobs'"):
                raise UnavailableError("The tables of jobs are missing: run the migrations.")
            attempts = self._attempts = RunningAttempts()
            queue = self._queue = self._create_queue(job_queries(driver), attempts)

            def handle_termination(_: object) -> None:
                # What the handlers do now cannot be stored. Other workers repeat the jobs.
                queue.shutdown.set()
                attempts.interrupt()

            connection.add_termination_listener(handle_termination)
            if self._stopping.is_set():
                return
            await queue.run(
                # PgQueuer allows at most half of the concurrent jobs in a batch.
                batch_size=self._concurrency // 2,
                max_concurrent_tasks=self._concurrency,
                # How often the worker looks for jobs without a notification.
                dequeue_timeout=self._heartbeat_timeout,
                heartbeat_timeout=self._heartbeat_timeout,
                shutdown_on_listener_failure=True,
                # Nothing reads the statistics, and each update blocks the connection.
                log_aggregation_interval=timedelta(0),
            )
            if connection.is_closed():
                raise UnavailableError("The connection was closed.")
        finally:
            self._driver = None
            connection.terminate()

    def _create_queue(self, queries: JobQueries, attempts: RunningAttempts) -> PgQueuer:
        queue = PgQueuer(queries.driver, channel=CHANNEL, queries=queries)
        for job in self._jobs:
            executor = JobExecutor(job, self._context, attempts, queries)
            queue.qm.register_executor(job.job_name(), executor)
            if job.schedule is not None:
                queue.schedule(job.job_name(), job.schedule)(_enqueue_scheduled(queries))
        return queue


def _enqueue_scheduled(queries: JobQueries) -> Callable[[Schedule], Awaitable[None]]:
    async def enqueue(schedule: Schedule) -> None:
        # Not again while the previous one waits or runs.
        name = schedule.entrypoint
        await queries.enqueue(name, b"{}", dedupe_key=f"schedule:{name}", on_conflict="skip")

    return enqueue
