"""PgQueuer's queries, changed so that no error deletes or blocks a job."""

import logging
from datetime import timedelta
from typing import TypeVar

from pgqueuer.models import Job, TracebackRecord
from pgqueuer.queries import Queries
from pgqueuer.types import JOB_STATUS

logger = logging.getLogger(__name__)

# Characters of a text. PostgreSQL stores up to 256 MiB in one text of a JSON document.
_MAX_LENGTH = 100_000

T = TypeVar("T")


class JobQueries(Queries):
    """The queries of a worker.

    If the end of an attempt cannot be stored, the job stays as it is. A worker repeats it when its
    heartbeat has expired.
    """

    async def log_jobs(
        self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]
    ) -> None:
        """Delete jobs that are done, and keep or delete those that have failed."""
        storable: list[tuple[Job, JOB_STATUS, TracebackRecord | None]] = [
            (job, status, _storable_record(record))
            for job, status, record in job_status
            # An attempt that was cancelled, as at the end of the process. PgQueuer would delete it.
            if status != "canceled"
        ]
        await super().log_jobs(storable)

    async def retry_job(
        self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None
    ) -> None:
        """Return a job to the queue."""
        try:
            await super().retry_job(job, delay, _storable_record(traceback_record))
        except Exception as error:  # noqa: BLE001 - PgQueuer would handle it as the last failure
            logger.warning("%s %d: cannot return to the queue: %r", job.entrypoint, job.id, error)

    async def uncount_attempt(self, job: Job) -> None:
        """Let the attempt that is running not count. PgQueuer counts it when it repeats the job."""
        try:
            await self.driver.execute(
                "UPDATE jobs.pgqueuer SET attempts = attempts - 1 WHERE id = $1", job.id
            )
        except Exception as error:  # noqa: BLE001 - PgQueuer would handle it as the last failure
            logger.warning("%s %d: the attempt counts: %r", job.entrypoint, job.id, error)


def _storable_record(record: TracebackRecord | None) -> TracebackRecord | None:
    """Return a record that PostgreSQL can store, since an error affects all jobs of a batch."""
    if record is None:
        return None
    context = record.additional_context or {}
    return record.model_copy(
        update={
            "exception_message": _storable(record.exception_message),
            "traceback": _storable(record.traceback),
            "additional_context": {name: _storable(value) for name, value in context.items()},
        }
    )


def _storable(value: T) -> T | str:
    """Return a text without NUL and lone surrogates, and its end if it is long."""
    if not isinstance(value, str):
        return value
    end = value[-_MAX_LENGTH:].replace("\0", "\\0")
    return end.encode("utf-8", "backslashreplace").decode("utf-8")
