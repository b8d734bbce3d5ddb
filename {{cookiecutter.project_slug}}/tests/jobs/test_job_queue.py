"""Jobs are enqueued in the transaction of the caller."""

from datetime import timedelta

import asyncpg
import pytest
from pgqueuer.db import AsyncpgDriver

from app.db import Database
from app.job_queue import JobQueue
from app.job_queue.schema import job_queries
from app.jobs import discover_jobs
from app.log_config import request_id_var
from tests.jobs.jobs import Record


async def count(queue: asyncpg.Connection) -> int:
    number: int = await queue.fetchval("SELECT count(*) FROM jobs.pgqueuer")
    return number


async def test_job_exists_when_the_transaction_has_committed(
    database: Database, queue: asyncpg.Connection
) -> None:
    async with database.transaction() as transaction:
        job_id = await JobQueue(transaction).enqueue(Record(text="a"))
        assert await count(queue) == 0

    row = await queue.fetchrow("SELECT id, entrypoint, payload FROM jobs.pgqueuer")
    assert tuple(row or ()) == (job_id, "record", b'{"text":"a"}')


async def test_rollback_discards_a_job_that_is_the_first_statement(
    database: Database, queue: asyncpg.Connection
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as transaction:
            await JobQueue(transaction).enqueue(Record(text="a"))
            raise ZeroDivisionError

    assert await count(queue) == 0


async def test_savepoint_discards_a_job(database: Database, queue: asyncpg.Connection) -> None:
    async with database.transaction() as transaction:
        jobs = JobQueue(transaction)
        kept = await jobs.enqueue(Record(text="kept"))
        with pytest.raises(ZeroDivisionError):
            async with transaction.savepoint():
                await jobs.enqueue(Record(text="discarded"))
                raise ZeroDivisionError

    assert await queue.fetchval("SELECT array_agg(id) FROM jobs.pgqueuer") == [kept]


async def test_job_cannot_be_enqueued_after_the_transaction(
    database: Database, queue: asyncpg.Connection
) -> None:
    async with database.transaction() as transaction:
        jobs = JobQueue(transaction)

    with pytest.raises(RuntimeError):
        await jobs.enqueue(Record(text="a"))

    assert await count(queue) == 0


async def test_unique_key_enqueues_one_job(database: Database, queue: asyncpg.Connection) -> None:
    async with database.transaction() as transaction:
        jobs = JobQueue(transaction)
        ids = [await jobs.enqueue(Record(text="a"), unique_key="one") for _ in range(2)]

    assert ids[0] is not None
    assert ids[1] is None
    assert await count(queue) == 1


async def test_delay_and_request_id_are_stored(
    database: Database, queue: asyncpg.Connection
) -> None:
    token = request_id_var.set("request-7")
    async with database.transaction() as transaction:
        await JobQueue(transaction).enqueue(Record(text="a"), delay=timedelta(hours=1))
    request_id_var.reset(token)

    query = "SELECT execute_after - created, headers ->> 'request_id' FROM jobs.pgqueuer"
    row = await queue.fetchrow(query)
    assert tuple(row or ()) == (timedelta(hours=1), "request-7")


async def test_workers_are_notified_after_the_commit(
    database: Database, queue: asyncpg.Connection
) -> None:
    notified: list[object] = []
    await queue.add_listener("jobs", lambda *args: notified.append(args))
    async with database.transaction() as transaction:
        await JobQueue(transaction).enqueue(Record(text="a"))
        await queue.execute("SELECT 1")
        assert not notified

    await queue.execute("SELECT 1")
    assert notified


async def test_migration_creates_the_schema_of_the_installed_version(
    queue: asyncpg.Connection,
) -> None:
    plan = await job_queries(AsyncpgDriver(queue)).plan_upgrade()

    assert (plan.statements, plan.notes) == ((), ())


def test_jobs_have_different_names() -> None:
    names = [job.job_name() for job in discover_jobs()]

    assert names
    assert len(names) == len({*names})
