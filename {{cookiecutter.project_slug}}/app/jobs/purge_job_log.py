"""Deletes old entries of the log of jobs."""

from typing import ClassVar

from sqlalchemy import text

from app.job_queue import Job, JobContext

# PgQueuer logs each change of the status of a job, and sums them up in statistics.
_DELETES = [
    text("DELETE FROM jobs.pgqueuer_log WHERE created < now() - interval '7 days'"),
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
