"""Jobs for tests, whose handlers damage or block a worker that is not prepared for it."""

import asyncio
import sys
from typing import ClassVar

from app.job_queue import JobContext
from tests.jobs.jobs import Fail, Forget, Record


class FailWithUnstorableText(Fail):
    """Fails with characters that PostgreSQL cannot store."""

    async def run(self, context: JobContext) -> None:
        await Record.run(self, context)
        raise ValueError("NUL \0, lone surrogate \ud800")


class Exit(Fail):
    """Calls `sys.exit`."""

    async def run(self, context: JobContext) -> None:
        await Record.run(self, context)
        sys.exit(1)


class FailOnce(Forget):
    """Fails in its first attempt only. A failed job would be deleted."""

    async def run(self, context: JobContext) -> None:
        await Record.run(self, context)
        if context.attempt == 1:
            raise ValueError(self.text)


class RefuseToEnd(Record):
    """Ignores the first cancellation, until a test sets `may_end`."""

    may_end: ClassVar[asyncio.Event]

    async def run(self, context: JobContext) -> None:
        await super().run(context)
        while not self.may_end.is_set():
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                continue
