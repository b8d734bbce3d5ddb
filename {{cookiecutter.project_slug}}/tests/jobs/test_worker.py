"""The worker runs jobs, repeats those that fail, and keeps those that do not succeed."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from tests.jobs import jobs
from tests.jobs.conftest import Enqueue, StartWorker
from tests.jobs.jobs import Cancel, Fail, Forget, Hang, Record, Reject, Wait


@pytest.fixture(autouse=True)
def _no_events() -> Iterator[None]:
    jobs.events.clear()
    yield
    jobs.events.clear()


async def until_events(number: int) -> list[str]:
    """Wait until the handlers have recorded a number of events, and return them."""
    async with asyncio.timeout(20):
        while len(jobs.events) < number:  # noqa: ASYNC110 - handlers only append to a list
            await asyncio.sleep(0.01)
    return jobs.events


async def until_rows(queue: asyncpg.Connection, expected: list[tuple[str, str]]) -> None:
    """Wait until the queue has these rows of a name and a status."""
    query = "SELECT entrypoint, status::text FROM jobs.pgqueuer ORDER BY id"
    async with asyncio.timeout(20):
        while [tuple(row) for row in await queue.fetch(query)] != expected:  # noqa: ASYNC110 - polls a table
            await asyncio.sleep(0.05)


async def disconnect_workers(queue: asyncpg.Connection) -> None:
    """Terminate the connections of all workers."""
    await queue.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND application_name LIKE '%worker'"
    )


async def test_job_is_run_once(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    start_worker([Record])
    await enqueue(Record(text="a"))

    await until_events(1)
    await until_rows(queue, [])
    assert jobs.events == ["a 1"]


@pytest.mark.parametrize("job", [Fail, Hang, Cancel])
async def test_failing_job_is_repeated_and_kept_while_others_continue(
    job: type[Fail], enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    start_worker([job, Record])
    await enqueue(job(text="a"))

    await until_rows(queue, [(job.job_name(), "failed")])
    assert jobs.events == ["a 1", "a 2", "a 3"]
    await enqueue(Record(text="b"))
    await until_events(4)


async def test_permanent_failure_is_not_repeated(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    start_worker([Reject])
    await enqueue(Reject(text="a"))

    await until_rows(queue, [("reject", "failed")])
    assert jobs.events == ["a 1"]


async def test_failing_job_is_deleted_if_it_is_not_kept(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    start_worker([Forget])
    await enqueue(Forget(text="a"))

    await until_events(3)
    await until_rows(queue, [])


async def test_payload_that_does_not_match_is_kept(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    await enqueue(Fail(text="a"))
    await queue.execute("""UPDATE jobs.pgqueuer SET payload = '{"txt": "secret"}'""")

    start_worker([Fail])

    await until_rows(queue, [("fail", "failed")])
    traceback = await queue.fetchval(
        "SELECT traceback::text FROM jobs.pgqueuer_log WHERE status = 'failed'"
    )
    assert "text: Field required" in traceback
    assert "secret" not in traceback
    assert not jobs.events


async def test_stopping_worker_returns_its_jobs_to_the_queue(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    worker = start_worker([Wait])
    await enqueue(Wait(text="a"))
    await until_events(1)

    await worker.stop(within=0.1)

    row = await queue.fetchrow("SELECT status::text, attempts FROM jobs.pgqueuer")
    assert tuple(row or ()) == ("queued", 0)
    assert not worker.takes_jobs


async def test_stopping_worker_waits_for_its_jobs(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    worker = start_worker([Record])
    await enqueue(Record(text="a"))
    await until_events(1)

    await worker.stop(within=10)

    await until_rows(queue, [])


async def test_job_that_kills_its_workers_is_kept(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    await enqueue(Fail(text="a"))
    # As three killed workers leave it.
    for _ in range(3):
        await queue.execute(
            "UPDATE jobs.pgqueuer SET status = 'picked', heartbeat = now() - interval '1 hour',"
            " queue_manager_id = gen_random_uuid()"
        )
    await queue.execute("UPDATE jobs.pgqueuer SET execute_after = now()")
    start_worker([Fail])

    await until_rows(queue, [("fail", "failed")])
    assert not jobs.events


async def test_jobs_of_a_killed_worker_are_not_taken_over_together_twice(
    enqueue: Enqueue, queue: asyncpg.Connection
) -> None:
    for text in "abc":
        await enqueue(Record(text=text))
    # As one worker takes them, and then another one takes them over.
    for _ in range(2):
        await queue.execute(
            "UPDATE jobs.pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid()"
        )

    rows = await queue.fetch("SELECT attempts, execute_after > updated AS waits FROM jobs.pgqueuer")
    assert [tuple(row) for row in rows] == [(1, True)] * 3
    times = await queue.fetchval("SELECT count(DISTINCT execute_after) FROM jobs.pgqueuer")
    assert times == 3


async def test_worker_connects_again(
    enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    worker = start_worker([Record])
    await enqueue(Record(text="a"))
    await until_events(1)

    await disconnect_workers(queue)
    await enqueue(Record(text="b"))

    # The first job runs again if its end was not stored.
    async with asyncio.timeout(20):
        while "b 1" not in jobs.events:  # noqa: ASYNC110 - handlers only append to a list
            await asyncio.sleep(0.01)
    assert worker.takes_jobs
