"""No error of a handler, the database or the process deletes a job or stops the worker."""

import asyncio
import logging
from time import monotonic

import asyncpg
import pytest

from app.settings import Settings
from tests.databases import connected, url_from
from tests.jobs import jobs
from tests.jobs.conftest import Enqueue, StartWorker
from tests.jobs.faulty_jobs import Exit, FailOnce, FailWithUnstorableText, RefuseToEnd
from tests.jobs.jobs import Fail, Record, Wait
from tests.jobs.test_worker import disconnect_workers, until_events, until_rows


@pytest.fixture(autouse=True)
def _no_events() -> None:
    jobs.events.clear()


@pytest.mark.parametrize("job", [FailWithUnstorableText, Exit])
async def test_failure_that_is_difficult_to_store_is_repeated_and_kept(
    caplog: pytest.LogCaptureFixture,
    job: type[Fail],
    enqueue: Enqueue,
    start_worker: StartWorker,
    queue: asyncpg.Connection,
) -> None:
    # pytest-xdist cannot transfer the lone surrogate in a captured log.
    caplog.set_level(logging.CRITICAL + 1)
    start_worker([job, Record])
    await enqueue(job(text="a"))

    await until_rows(queue, [(job.job_name(), "failed")])
    assert jobs.events == ["a 1", "a 2", "a 3"]
    await enqueue(Record(text="b"))
    await until_rows(queue, [(job.job_name(), "failed")])
    assert jobs.events[3:] == ["b 1"]


async def test_job_that_cannot_return_to_the_queue_is_repeated(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    await queue.execute("ALTER TABLE jobs.pgqueuer ADD CONSTRAINT refuse CHECK (attempts = 0)")
    start_worker([FailOnce])
    try:
        await enqueue(FailOnce(text="a"))
        # The second attempt is the first one again, which the worker could not count.
        assert (await until_events(2))[:2] == ["a 1", "a 1"]
    finally:
        await queue.execute("ALTER TABLE jobs.pgqueuer DROP CONSTRAINT refuse")

    await until_rows(queue, [])
    assert jobs.events[-1] == "a 2"


@pytest.mark.parametrize("steps", range(8))
async def test_job_that_is_cancelled_twice_is_not_deleted(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection, steps: int
) -> None:
    worker = start_worker([Wait])
    await enqueue(Wait(text="a"))
    await until_events(1)

    [attempt] = [task for task in asyncio.all_tasks() if "_dispatch" in repr(task.get_coro())]
    # As at the end of a process that was stopped by two signals.
    attempt.cancel()
    for _ in range(steps):
        await asyncio.sleep(0)
    attempt.cancel()
    await asyncio.wait([attempt])
    await worker.stop(within=0)

    assert await queue.fetchval("SELECT count(*) FROM jobs.pgqueuer") == 1


async def test_worker_that_was_disconnected_interrupts_its_jobs_and_continues(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    start_worker([Wait, Record])
    await enqueue(Wait(text="a"))
    await until_events(1)

    await disconnect_workers(queue)
    await enqueue(Record(text="b"))

    # The worker does not know that its first attempt has ended. So another worker counts it.
    assert sorted(await until_events(3)) == ["a 1", "a 2", "b 1"]


@pytest.mark.parametrize("is_locked", [False, True], ids=["handler-hangs", "database-hangs"])
async def test_stop_is_limited_and_keeps_the_job(
    enqueue: Enqueue,
    start_worker: StartWorker,
    queue: asyncpg.Connection,
    settings: Settings,
    *,
    is_locked: bool,
) -> None:
    RefuseToEnd.may_end = asyncio.Event()
    job = Wait if is_locked else RefuseToEnd
    worker = start_worker([job])
    await enqueue(job(text="a"))
    await until_events(1)

    async with connected(url_from(settings)) as locker, locker.transaction():
        if is_locked:
            await locker.execute("LOCK TABLE jobs.pgqueuer")
        started_at = monotonic()
        await worker.stop(within=0)
        # A limit for a worker that hangs, not for a slow machine.
        assert monotonic() - started_at < 10

    assert await queue.fetchval("SELECT count(*) FROM jobs.pgqueuer") == 1
    RefuseToEnd.may_end.set()
