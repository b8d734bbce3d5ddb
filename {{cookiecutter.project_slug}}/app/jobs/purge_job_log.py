"""Deletes old entries of the log of jobs."""

from typing import ClassVar

from sqlalchemy import text

from app.job_queue import Job, JobContext

# PgQueuer logs each change of the status of a job, and sums them up in statistics. The error of a
# failed job is only in the log, so its entries are kept as long as the job.
_DELETES = [
    text(
        "DELETE FROM jobs.pgqueuer_log AS log WHERE created < now() - interval '7 days'"
        " AND NOT EXISTS (SELECT FROM jobs.pgqueuer WHERE id = log.job_id)"
    ),
    text("DELETE FROM jobs.pgqueuer_statistics WHERE created < now() - interval '90 days'"),
]


class PurgeJobLog(Job):
    """Deletes old entries of the log of jobs, once an hour."""

    schedule: ClassVar[str | None] = "17 * * * *"

    async def run(self, context: JobContext) -> None:
        """Delete them."""
        async with context.database.transaction() as transaction:
            for statement in _DELETES:
                await transaction.execute(statement)
