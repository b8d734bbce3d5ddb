"""`python -m app.cli jobs` lists, retries and deletes failed jobs."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.job_queue import JobContext
from app.jobs.purge_job_log import PurgeJobLog
from tests.commands.conftest import Run
from tests.jobs.conftest import Enqueue, StartWorker
from tests.jobs.jobs import Fail, Record, events

AddFailed = Callable[[str], Awaitable[int]]


@pytest.fixture
def add_failed(queue: asyncpg.Connection, enqueue: Enqueue) -> AddFailed:
    """Return a function that adds a job as a worker leaves it after its last attempt."""

    async def add(error: str) -> int:
        job_id = await enqueue(Fail(text="a"))
        await queue.execute(
            "UPDATE jobs.pgqueuer SET status = 'failed', attempts = 2, updated = clock_timestamp()"
            " WHERE id = $1",
            job_id,
        )
        await queue.execute(
            "INSERT INTO jobs.pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
            " VALUES ($1, 'failed', 0, 'fail', jsonb_build_object("
            "'exception_type', $2::text, 'exception_message', 'of\n  fail'))",
            job_id,
            error,
        )
        return job_id

    return add


async def statuses(queue: asyncpg.Connection) -> dict[int, tuple[str, int]]:
    rows = await queue.fetch("SELECT id, status::text, attempts FROM jobs.pgqueuer")
    return {row["id"]: (row["status"], row["attempts"]) for row in rows}


async def test_job_that_a_worker_gave_up_is_listed_with_its_error_and_can_be_retried(
    run: Run, enqueue: Enqueue, start_worker: StartWorker, queue: asyncpg.Connection
) -> None:
    events.clear()
    worker = start_worker([Fail])
    job_id = await enqueue(Fail(text="a b"))
    async with asyncio.timeout(20):
        while await statuses(queue) != {job_id: ("failed", 2)}:  # noqa: ASYNC110 - polls a table
            await asyncio.sleep(0.05)

    heading, line = (await run("jobs", "list")).output.splitlines()

    assert heading.split() == ["ID", "JOB", "ATTEMPTS", "FAILED", "AT", "ERROR"]
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.fullmatch(rf"{job_id} +fail +3 +{time} +ValueError: a b", line)

    await worker.stop(within=5)
    assert await run("jobs", "retry", str(job_id)) == (0, "Returned to the queue: 1 job.\n", "")
    assert await statuses(queue) == {job_id: ("queued", 0)}


async def test_jobs_are_listed_from_the_newest_in_one_line_each(
    run: Run, add_failed: AddFailed
) -> None:
    killed = await add_failed("LostAttemptsError")
    failed = await add_failed("ValueError")

    _, newest, oldest = (await run("jobs", "list")).output.splitlines()

    assert newest.split()[:3] == [str(failed), "fail", "3"]
    assert newest.endswith("ValueError: of fail")
    # The attempt that found that the others were killed does not count.
    assert oldest.split()[:3] == [str(killed), "fail", "2"]
    _, only, last = (await run("jobs", "list", "--limit", "1")).output.splitlines()
    assert (only, last) == (newest, "1 of 2")


async def test_other_jobs_are_not_listed_or_retried(
    run: Run, enqueue: Enqueue, queue: asyncpg.Connection
) -> None:
    job_id = await enqueue(Record(text="a"))

    assert await run("jobs", "list") == (0, "No job has failed.\n", "")
    assert await run("jobs", "retry", "--all") == (0, "Returned to the queue: 0 jobs.\n", "")
    result = await run("jobs", "delete", str(job_id))
    assert result == (1, "", f"No failed job has the ID {job_id}.\n")
    assert await statuses(queue) == {job_id: ("queued", 0)}


async def test_all_failed_jobs_are_retried(
    run: Run, add_failed: AddFailed, queue: asyncpg.Connection
) -> None:
    ids = [await add_failed("ValueError") for _ in range(2)]

    result = await run("jobs", "retry", "--all")

    assert result == (0, "Returned to the queue: 2 jobs.\n", "")
    assert await statuses(queue) == dict.fromkeys(ids, ("queued", 0))


async def test_failed_jobs_are_deleted(
    run: Run, add_failed: AddFailed, queue: asyncpg.Connection
) -> None:
    first, second, third = [await add_failed("ValueError") for _ in range(3)]

    result = await run("jobs", "delete", str(first), str(third))

    assert result == (0, "Deleted: 2 jobs.\n", "")
    assert await statuses(queue) == {second: ("failed", 2)}


@pytest.mark.parametrize("action", ["retry", "delete"])
async def test_unknown_ids_are_reported_and_nothing_changes(
    action: str, run: Run, add_failed: AddFailed, queue: asyncpg.Connection
) -> None:
    job_id = await add_failed("ValueError")

    result = await run("jobs", action, str(job_id), "900000002", "900000001")

    assert result == (1, "", "No failed job has the ID 900000001, 900000002.\n")
    assert await statuses(queue) == {job_id: ("failed", 2)}


async def test_duplicate_of_a_queued_job_is_not_retried(
    run: Run, add_failed: AddFailed, queue: asyncpg.Connection
) -> None:
    ids = [await add_failed("ValueError") for _ in range(3)]
    await queue.execute("UPDATE jobs.pgqueuer SET dedupe_key = 'a' WHERE id <> $1", ids[1])

    result = await run("jobs", "retry", "--all")

    assert result.status == 0
    assert result.output.splitlines() == [
        "Returned to the queue: 2 jobs.",
        "Not retried: 1 job, because another job with the same unique key is queued or running.",
    ]
    assert await statuses(queue) == {
        **dict.fromkeys(ids[:2], ("queued", 0)),
        ids[2]: ("failed", 2),
    }
    result = await run("jobs", "retry", str(ids[2]))
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(f"Job {ids[2]} is not retried: another job with the same")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["retry"],
        ["delete"],
        ["retry", "0"],
        ["retry", "9223372036854775808"],
        ["delete", "one"],
        ["retry", "--all", "1"],
        ["list", "--limit", "0"],
    ],
)
async def test_wrong_usage_prints_usage(run: Run, arguments: list[str]) -> None:
    result = await run("jobs", *arguments)
    assert (result.status, result.output) == (2, "")
    assert "usage: python -m app.cli jobs" in result.errors


async def test_error_of_a_failed_job_is_kept_while_the_job_is(
    run: Run, add_failed: AddFailed, queue: asyncpg.Connection, job_context: JobContext
) -> None:
    kept, deleted = [await add_failed("ValueError") for _ in range(2)]
    await run("jobs", "delete", str(deleted))
    await queue.execute("UPDATE jobs.pgqueuer_log SET created = created - interval '8 days'")

    await PurgeJobLog().run(job_context)

    assert "ValueError: of fail" in (await run("jobs", "list")).output
    logged = await queue.fetch("SELECT DISTINCT job_id FROM jobs.pgqueuer_log")
    assert [row["job_id"] for row in logged] == [kept]
