"""Time transactions that enqueue a job, and a worker.

Usage: `python -m time_jobs compare|write|enqueue|run|idle <number>`, with DATABASE_URL. `compare`
times turns of transactions with and without a job, `write` and `enqueue` only run them, `run` runs
jobs, and `idle` waits for some seconds.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar
from uuid import uuid4

from sqlalchemy import text
from starlette.datastructures import State

from app.db import Database
from app.db.repositories.articles import ArticleWriter
from app.job_queue import Job, JobContext, JobQueue
from app.job_queue.worker import JobWorker
from app.jobs import discover_jobs
from app.settings import load_settings

EMPTY_QUEUE = text("TRUNCATE jobs.pgqueuer")
TURN = 50
BATCH = 500


class Empty(Job):
    """Does nothing."""

    #: How many have run in this process.
    runs: ClassVar[int] = 0
    key: str

    async def run(self, context: JobContext) -> None:
        """Count the run."""
        del context
        Empty.runs += 1


async def write(database: Database) -> None:
    """Create an article."""
    async with database.transaction() as transaction:
        await ArticleWriter(transaction).create(title="A title", slug=uuid4().hex, text="Words.")


async def enqueue(database: Database) -> None:
    """Create an article, and enqueue a job in the same transaction."""
    async with database.transaction() as transaction:
        slug = uuid4().hex
        await ArticleWriter(transaction).create(title="A title", slug=slug, text="Words.")
        await JobQueue(transaction).enqueue(Empty(key=slug))


KINDS: dict[str, Callable[[Database], Awaitable[None]]] = {"write": write, "enqueue": enqueue}


async def compare(database: Database, turns: int) -> None:
    """Print the times of one transaction of each kind: the medians of all turns."""
    cpu: dict[str, list[float]] = {name: [] for name in KINDS}
    elapsed: dict[str, list[float]] = {name: [] for name in KINDS}
    for turn in range(turns + 1):
        for name, kind in KINDS.items():
            started = time.process_time(), time.perf_counter()
            for _ in range(TURN):
                await kind(database)
            if turn:
                # The first turn prepares the statements.
                cpu[name].append((time.process_time() - started[0]) / TURN * 1e6)
                elapsed[name].append((time.perf_counter() - started[1]) / TURN * 1e6)
    for label, times in (("CPU", cpu), ("elapsed", elapsed)):
        ratios = [after / before for before, after in zip(*times.values(), strict=True)]
        medians = [statistics.median(values) for values in times.values()]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(
            f"{label:8} us: write {medians[0]:.0f}, with a job {medians[1]:.0f},"
            f" ratio {statistics.median(ratios):.2f} ({spread})"
        )


async def run_jobs(worker: JobWorker, database: Database, number: int) -> None:
    """Enqueue jobs, and print the rate at which one worker runs them."""
    for start in range(0, number, BATCH):
        async with database.transaction() as transaction:
            for key in range(start, min(start + BATCH, number)):
                await JobQueue(transaction).enqueue(Empty(key=str(key)))
    started = time.process_time(), time.perf_counter()
    worker.start()
    while Empty.runs < number:  # noqa: ASYNC110 - handlers only count
        await asyncio.sleep(0.05)
    cpu, elapsed = time.process_time() - started[0], time.perf_counter() - started[1]
    print(f"{Empty.runs / elapsed:.0f} jobs per second, {cpu / Empty.runs * 1e6:.0f} us CPU each")


async def main(mode: str, number: int) -> None:
    """Run one mode."""
    settings = load_settings()
    async with Database(settings.database) as database:
        if mode == "compare":
            await compare(database, number)
        elif mode in KINDS:
            for _ in range(number):
                await KINDS[mode](database)
        else:
            async with database.transaction() as transaction:
                # Without the jobs of other modes.
                await transaction.execute(EMPTY_QUEUE)
            context = JobContext(database=database, settings=settings, state=State())
            worker = JobWorker([*discover_jobs(), Empty], context)
            if mode == "run":
                await run_jobs(worker, database, number)
            else:
                worker.start()
                await asyncio.sleep(number)
            await worker.stop(within=5)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
