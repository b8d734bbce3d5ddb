"""Enqueues jobs in the transaction of the caller."""

from datetime import timedelta

from pgqueuer.db import AsyncpgDriver

from app.db import Transaction
from app.job_queue.job import Job
from app.job_queue.schema import job_queries
from app.log_config import request_id_var


class JobQueue:
    """Enqueues jobs in a transaction.

    The jobs are rows, so they exist if the transaction commits, and not if it is rolled back.
    PostgreSQL notifies the workers after the commit. `Depends(provide_writer(JobQueue))` provides
    the queue in the transaction of a request.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def enqueue(
        self, job: Job, *, delay: timedelta | None = None, unique_key: str | None = None
    ) -> int | None:
        """Enqueue a job, to run after `delay`, and return its ID.

        Does nothing and returns None if a job with the same `unique_key` is queued or running.
        """
        async with self._transaction.driver_connection() as connection:
            ids = await job_queries(AsyncpgDriver(connection)).enqueue(
                job.job_name(),
                job.model_dump_json().encode(),
                execute_after=delay,
                dedupe_key=unique_key,
                headers={"request_id": request_id_var.get()},
                on_conflict="skip",
            )
        return ids[0]
