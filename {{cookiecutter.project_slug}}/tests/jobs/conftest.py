"""Fixtures of the tests of background jobs: a queue, and a worker that runs test jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import pytest
from starlette.datastructures import State

from app.db import Database
from app.job_queue import Job, JobContext, JobQueue
from app.job_queue.worker import JobWorker
from app.settings import Settings
from tests.commands.conftest import run as run
from tests.jobs.stored import empty_queue

StartWorker = Callable[[Sequence[type[Job]]], JobWorker]
Enqueue = Callable[[Job], Awaitable[int]]


@pytest.fixture
async def queue(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the empty queue."""
    async with empty_queue(settings) as connection:
        yield connection


@pytest.fixture
def enqueue(database: Database, queue: asyncpg.Connection) -> Enqueue:
    """Return a function that enqueues a job and returns its ID."""
    del queue

    async def enqueue(job: Job) -> int:
        async with database.transaction() as transaction:
            job_id = await JobQueue(transaction).enqueue(job)
        assert job_id is not None
        return job_id

    return enqueue


@pytest.fixture
def job_context(database: Database, settings: Settings) -> JobContext:
    """Return the context of a handler."""
    return JobContext(database=database, settings=settings, state=State())


@pytest.fixture
async def start_worker(
    job_context: JobContext, queue: asyncpg.Connection
) -> AsyncIterator[StartWorker]:
    """Yield a function that starts a worker, which stops after the test."""
    del queue
    workers: list[JobWorker] = []

    def start(jobs: Sequence[type[Job]]) -> JobWorker:
        worker = JobWorker(jobs, job_context, heartbeat_timeout=1)
        worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        await worker.stop(within=0)
