"""Base class of jobs: the payload, the handler, and what follows a failure."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import State

from app.db import Database
from app.settings import Settings


class PermanentError(Exception):
    """Raised by a handler that would fail again: there is no further attempt."""


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """What a handler works with. A test creates one with a database and settings."""

    database: Database
    settings: Settings
    #: What the components have stored in `app.state`.
    state: State
    #: Each job has one ID, which all its attempts share.
    job_id: int = 0
    #: The number of this attempt, from 1.
    attempt: int = 1


class Job(BaseModel, ABC):
    """A task that a worker runs later. Its fields are the payload, stored as JSON.

    A job may run more than once, for example if the worker is killed after the handler has
    finished. So a handler must have the same effect if it runs twice (`docs/jobs.md`).

    During a deployment, workers of the previous release read payloads of the new one, and the other
    way round. So new fields need a default value, and unknown fields are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    #: Attempts, the first one included. An attempt that a killed worker has begun counts, too.
    max_attempts: ClassVar[int] = 8
    #: Seconds from the first to the second attempt; doubled after each further one.
    retry_delay: ClassVar[float] = 1
    #: In seconds.
    max_retry_delay: ClassVar[float] = 3600
    #: Seconds after which an attempt is cancelled.
    timeout: ClassVar[float] = 60
    #: Whether a job is kept after its last attempt. `python -m app.cli jobs` lists and retries it.
    keeps_failed: ClassVar[bool] = True
    #: When to enqueue the job without a payload: a crontab expression, in the time zone UTC.
    schedule: ClassVar[str | None] = None

    @abstractmethod
    async def run(self, context: JobContext) -> None:
        """Do the work. An exception leads to another attempt, unless it is a `PermanentError`.

        Open a transaction with `context.database.transaction()`: there is none yet.
        """

    @classmethod
    def job_name(cls) -> str:
        """Return the name of the job in the queue: the name of its module."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def delay_after(cls, attempt: int) -> timedelta:
        """Return the time between an attempt, counted from 1, and the next one."""
        # The exponent is limited, since a float has a maximum.
        seconds = cls.retry_delay * 2.0 ** min(attempt - 1, 64)
        return timedelta(seconds=min(seconds, cls.max_retry_delay))
