"""Runs one attempt of a job, and decides what follows a failure."""

import asyncio
import logging
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any

from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Context
from pgqueuer.models import Job as QueuedJob
from pydantic import ValidationError

from app.job_queue.job import Job, JobContext, PermanentError
from app.job_queue.queries import JobQueries
from app.log_config import request_id_var

logger = logging.getLogger(__name__)

_log_fields_var: ContextVar[dict[str, Any] | None] = ContextVar("log_fields", default=None)


class InvalidPayloadError(Exception):
    """The payload of a job does not match its fields, for example after a deployment."""


class LostAttemptsError(Exception):
    """In each attempt, the process that ran the job was killed."""


class InterruptedAttemptError(Exception):
    """The worker has stopped, or has lost its connection, before the handler has finished."""


class RunningAttempts:
    """The attempts that a worker runs on one connection. `interrupt` ends all of them."""

    def __init__(self) -> None:
        self._limits: set[asyncio.Timeout] = set()
        self._is_interrupted = False

    async def run(self, job: Job, context: JobContext) -> None:
        """Run a handler. Raises `TimeoutError` after the timeout of the job.

        Raises `InterruptedAttemptError` if `interrupt` is called before the handler has finished.
        """
        limit = asyncio.timeout(0 if self._is_interrupted else job.timeout)
        try:
            async with limit:
                self._limits.add(limit)
                await job.run(context)
        except TimeoutError:
            if not limit.expired():
                raise
            if self._is_interrupted:
                raise InterruptedAttemptError("The worker has stopped.") from None
            raise TimeoutError(f"The job has not finished within {job.timeout} s.") from None
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:
            # `SystemExit` would end the worker. Others would leave the job as it is.
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise InterruptedAttemptError("The worker was cancelled.") from None
            raise RuntimeError(f"The handler has raised {type(error).__name__}.") from error
        finally:
            self._limits.discard(limit)

    def interrupt(self) -> None:
        """Cancel the handlers that are running."""
        self._is_interrupted = True
        for limit in self._limits:
            if not limit.expired():
                # A time in the past.
                limit.reschedule(0)


class JobExecutor(AbstractEntrypointExecutor):
    """Runs the attempts of the jobs of one class. PgQueuer calls `execute`."""

    def __init__(
        self, job: type[Job], context: JobContext, attempts: RunningAttempts, queries: JobQueries
    ) -> None:
        super().__init__(
            EntrypointExecutorParameters(
                concurrency_limit=0,
                func=_unused,
                on_failure="hold" if job.keeps_failed else "delete",
            )
        )
        self._job = job
        self._context = context
        self._attempts = attempts
        self._queries = queries

    async def execute(self, queued: QueuedJob, _: Context) -> None:
        """Run an attempt. Raises `RetryRequested` if it fails and is not the last one.

        In the last attempt, raises the exception of the handler. A `PermanentError` makes an
        attempt the last one.
        """
        attempt = queued.attempts + 1
        name = f"{queued.entrypoint} {queued.id}, attempt {attempt}"
        # Each attempt has a separate task, and so its own values of these variables.
        request_id_var.set(str((queued.headers or {}).get("request_id", "-")))
        _log_fields_var.set({"job": queued.entrypoint, "job_id": queued.id, "attempt": attempt})
        started_at = perf_counter()
        try:
            await self._run_attempt(queued, attempt)
        except InterruptedAttemptError as error:
            logger.info("%s: interrupted, returns to the queue", name)
            await self._queries.uncount_attempt(queued)
            raise RetryRequested(timedelta(0), str(error)) from None
        except Exception as error:
            if attempt >= self._job.max_attempts or isinstance(error, PermanentError):
                # PgQueuer logs the traceback.
                raise
            delay = self._job.delay_after(attempt)
            seconds = delay.total_seconds()
            logger.warning("%s: failed, is repeated in %g s", name, seconds, exc_info=True)
            raise RetryRequested(delay, repr(error)) from error
        logger.info("%s: done in %.0f ms", name, (perf_counter() - started_at) * 1000)

    async def _run_attempt(self, queued: QueuedJob, attempt: int) -> None:
        if attempt > self._job.max_attempts:
            raise LostAttemptsError(f"Its process was killed in {queued.attempts} attempts.")
        try:
            job = self._job.model_validate_json(queued.payload or b"{}")
        except ValidationError as error:
            # The text of the exception would repeat the values.
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems]
            raise InvalidPayloadError("; ".join(lines)) from None
        await self._attempts.run(job, replace(self._context, job_id=queued.id, attempt=attempt))


def add_log_fields(record: logging.LogRecord) -> bool:
    """Add the name of the current job, its ID and its attempt to a record: a filter of handlers."""
    record.__dict__.update(_log_fields_var.get() or {})
    return True


async def _unused(_: QueuedJob) -> None:
    """Do nothing: PgQueuer requires a function, but calls only `execute`."""
