"""Run `alembic upgrade head` in several processes at the same time."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.databases import ROOT, connected

# The key of the advisory lock in `migrations/env.py`.
LOCK = 7_244_119
WAITING = "Waiting for another process"


class Result(NamedTuple):
    """Exit status and output of a process."""

    status: int
    output: str


def upgrade(url: str, config: Path, folder: Path, log: Path) -> Result:
    """Migrate in a separate process."""
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
    """Run a process in each folder. They begin to migrate when all of them wait for the lock."""
    files = [logs / f"{number}.log" for number in range(len(folders))]

    def all_wait() -> bool:
        return all(file.exists() and WAITING in file.read_text("utf-8") for file in files)

    async with connected(url) as connection, asyncio.timeout(60):
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        running = [
            asyncio.to_thread(upgrade, url, config, folder, file)
            for folder, file in zip(folders, files, strict=True)
        ]
        results = asyncio.gather(*running)
        while not (all_wait() or results.done()):
            await connection.execute("SELECT pg_sleep(0.05)")
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        return await results
