"""Background jobs, stored in PostgreSQL: `Job`, its base class, and `JobQueue`, which enqueues.

The library PgQueuer (https://pgqueuer.readthedocs.io) stores and distributes the jobs. The jobs of
the service are in `app.jobs`, and `app.worker` runs them. `docs/jobs.md` has the guarantees.
"""

from app.job_queue.job import Job, JobContext, PermanentError
from app.job_queue.queue import JobQueue

__all__ = ["Job", "JobContext", "JobQueue", "PermanentError"]
