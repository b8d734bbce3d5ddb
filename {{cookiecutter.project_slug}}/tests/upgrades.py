"""Run `alembic upgrade head` in several processes at the same time."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.databases import ROOT, connected
from tests.waiting import wait_until

# The key of the advisory lock in `migrations/env.py`.
LOCK = 7_244_119
# A process logs this while another one holds the lock.
WAITING = "Waiting for another process"


class Result(NamedTuple):
    """Exit status and output of a process."""

    status: int
    output: str


def upgrade(url: str, config: Path, folder: Path, log: Path) -> Result:
    """Run `alembic upgrade head` in a separate process, in this working directory."""
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.run(
            [sys.executable, "-m", "alembic", "-c", str(config), "upgrade", "head"],
            cwd=folder,
            env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
            check=False,
        ).returncode
    return Result(status, log.read_text("utf-8"))


async def upgrade_concurrently(
    url: str, config: Path, folders: list[Path], logs: Path
) -> list[Result]:
    """Run `alembic upgrade head` in each folder, and begin when all processes wait for the lock."""
    files = [logs / f"{number}.log" for number in range(len(folders))]

    async with connected(url) as connection, asyncio.timeout(60):
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        running = [
            asyncio.to_thread(upgrade, url, config, folder, file)
            for folder, file in zip(folders, files, strict=True)
        ]
        results = asyncio.gather(*running)

        async def all_are_waiting_or_have_failed() -> bool:
            are_waiting = [file.exists() and WAITING in file.read_text("utf-8") for file in files]
            return all(are_waiting) or results.done()

        await wait_until(all_are_waiting_or_have_failed)
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        return await results
