"""Run units of work, each of which creates an article and enqueues a job with its slug.

Usage: `python -m units_of_work <number>`. Prints the planned outcome of each unit when it begins.
"""

import asyncio
import random
import sys
from contextlib import suppress
from itertools import repeat
from uuid import uuid4

from fault_jobs import Count

from app.db import Database, Transaction
from app.db.repositories.articles import ArticleWriter
from app.errors import AppError
from app.job_queue import JobQueue
from app.settings import load_settings

CONCURRENCY = 10
#: Half of the units are to be committed.
OUTCOMES = ["commit"] * 3 + ["exception", "cancel", "savepoint"]


class PlannedError(Exception):
    """Rolls back."""


async def write(transaction: Transaction, slug: str) -> None:
    """Create the article and enqueue the job, in either order."""

    async def enqueue() -> None:
        await JobQueue(transaction).enqueue(Count(key=slug))

    async def create() -> None:
        await ArticleWriter(transaction).create(title="A", slug=slug, text="b")

    steps = [enqueue, create]
    random.shuffle(steps)
    for step in steps:
        await step()
        await asyncio.sleep(random.choice([0, 0.002]))


async def run_unit(database: Database, outcome: str) -> None:
    """Run one unit of work."""
    async with database.transaction() as transaction:
        if outcome == "savepoint":
            if random.random() < 0.5:
                await write(transaction, f"{uuid4().hex}-kept")
            with suppress(PlannedError):
                async with transaction.savepoint():
                    await write(transaction, f"{uuid4().hex}-discarded")
                    raise PlannedError
        else:
            await write(transaction, f"{uuid4().hex}-{outcome}")
        if outcome == "exception":
            raise PlannedError


async def run_client(database: Database, units: "repeat[None]") -> None:
    """Run units until none is left."""
    for _ in units:
        outcome = random.choice(OUTCOMES)
        print(outcome, flush=True)
        unit = asyncio.create_task(run_unit(database, outcome))
        if outcome == "cancel":
            # 1 to 300 ms, log-uniform: before, during and after the transaction.
            await asyncio.wait([unit], timeout=10 ** random.uniform(-3, -0.5))
            unit.cancel()
        # The test terminates connections, too.
        with suppress(PlannedError, AppError, asyncio.CancelledError):
            await unit


async def main(number: int) -> None:
    """Run `number` units."""
    units = repeat(None, number)
    async with Database(load_settings().database) as database, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(run_client(database, units))


asyncio.run(main(int(sys.argv[1])))
