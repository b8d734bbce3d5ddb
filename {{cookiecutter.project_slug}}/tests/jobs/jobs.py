"""Jobs for tests. They record what happens in `events`."""

import asyncio
from typing import ClassVar

from app.job_queue import Job, JobContext, PermanentError

#: What the handlers of the current test have done.
events: list[str] = []


class Record(Job):
    """Records its text."""

    text: str

    async def run(self, context: JobContext) -> None:
        events.append(f"{self.text} {context.attempt}")

    @classmethod
    def job_name(cls) -> str:
        return cls.__name__.lower()


class Fail(Record):
    """Fails in each attempt."""

    max_attempts: ClassVar[int] = 3
    retry_delay: ClassVar[float] = 0.01

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        raise ValueError(self.text)


class Reject(Fail):
    """Fails in its first attempt, and would fail in any other."""

    async def run(self, context: JobContext) -> None:
        await Record.run(self, context)
        raise PermanentError(self.text)


class Forget(Fail):
    """Is deleted after its last attempt."""

    keeps_failed: ClassVar[bool] = False


class Hang(Fail):
    """Does not end within its timeout."""

    timeout: ClassVar[float] = 0.1

    async def run(self, context: JobContext) -> None:
        await Record.run(self, context)
        await asyncio.sleep(60)


class Wait(Record):
    """Runs until it is interrupted."""

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        await asyncio.sleep(60)


class Cancel(Fail):
    """Raises `CancelledError`, as a handler that awaits a cancelled task."""

    async def run(self, context: JobContext) -> None:
        await Record.run(self, context)
        raise asyncio.CancelledError
