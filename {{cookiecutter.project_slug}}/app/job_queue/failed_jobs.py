"""The jobs that have failed in their last attempt, for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job as QueuedJob
from pgqueuer.types import JobId

from app.db import Transaction
from app.errors import AlreadyExistsError, ConflictError, NotFoundError
from app.job_queue.schema import job_queries

# The error is in the log. A job whose workers were killed has no attempt that has ended.
_LIST = """
    SELECT failed.id, entrypoint AS name, updated AS failed_at,
        attempts + CASE WHEN type = 'LostAttemptsError' THEN 0 ELSE 1 END AS attempts,
        concat_ws(': ', type, nullif(message, '')) AS error,
        count(*) OVER () AS total
    FROM jobs.pgqueuer AS failed LEFT JOIN LATERAL (
        SELECT traceback ->> 'exception_type' AS type, traceback ->> 'exception_message' AS message
        FROM jobs.pgqueuer_log
        WHERE job_id = failed.id AND status = 'failed'
        ORDER BY created DESC
        LIMIT 1
    ) AS last_error ON true
    WHERE status = 'failed'
    ORDER BY updated DESC, id DESC
    LIMIT $1
"""
_LOCK = "SELECT * FROM jobs.pgqueuer WHERE status = 'failed' AND id = ANY($1) FOR UPDATE"
_ALL_IDS = "SELECT id FROM jobs.pgqueuer WHERE status = 'failed' ORDER BY id"


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """A job, with its last error."""

    id: int
    name: str
    attempts: int
    failed_at: datetime
    error: str


class FailedJobs:
    """Lists, retries and deletes failed jobs in a transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def list(self, limit: int) -> tuple[Sequence[FailedJob], int]:
        """Return the jobs that failed last, newest first, and the number of all failed jobs."""
        async with self._transaction.driver_connection() as connection:
            rows = [dict(row) for row in await connection.fetch(_LIST, limit)]
        totals = [row.pop("total") for row in rows]
        return [FailedJob(**row) for row in rows], totals[0] if totals else 0

    async def retry(self, ids: Sequence[int]) -> None:
        """Return jobs to the queue, with all their attempts.

        Raises `NotFoundError` if one does not exist or has not failed, and `ConflictError` if
        another job with the same unique key is queued or running.
        """
        await self._lock(ids)
        for job_id in ids:
            if not await self._requeue(job_id):
                reason = "another job with the same unique key is queued or running"
                raise ConflictError(f"Job {job_id} is not retried: {reason}.")

    async def retry_all(self) -> tuple[int, int]:
        """Return all failed jobs to the queue. Return how many did, and how many are kept.

        A job is kept if another one with the same unique key is queued or running.
        """
        async with self._transaction.driver_connection() as connection:
            ids = [row["id"] for row in await connection.fetch(_ALL_IDS)]
        results = [await self._requeue(job_id) for job_id in ids]
        return results.count(True), results.count(False)

    async def delete(self, ids: Sequence[int]) -> None:
        """Delete jobs. Raises `NotFoundError` if one does not exist or has not failed."""
        jobs = await self._lock(ids)
        async with self._transaction.driver_connection() as connection:
            queries = job_queries(AsyncpgDriver(connection))
            await queries.log_jobs([(job, "deleted", None) for job in jobs])

    async def _lock(self, ids: Sequence[int]) -> Sequence[QueuedJob]:
        async with self._transaction.driver_connection() as connection:
            rows = await connection.fetch(_LOCK, ids)
        jobs = [QueuedJob.model_validate(dict(row)) for row in rows]
        if unknown := {*ids} - {int(job.id) for job in jobs}:
            raise NotFoundError(f"No failed job has the ID {', '.join(map(str, sorted(unknown)))}.")
        return jobs

    async def _requeue(self, job_id: int) -> bool:
        """Return whether the unique key of the job allows it."""
        try:
            async with (
                self._transaction.savepoint(),
                self._transaction.driver_connection() as connection,
            ):
                await job_queries(AsyncpgDriver(connection)).requeue_jobs([JobId(job_id)])
        except AlreadyExistsError:
            return False
        return True
