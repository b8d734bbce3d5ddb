"""Processes that migrate a database."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.databases import ROOT, connected

# The advisory lock of `migrations/env.py`.
LOCK = 7_244_119
WAITING = "Waiting for another process"


class Result(NamedTuple):
    """How a process ended, and what it printed."""

    status: int
    output: str


def upgrade(address: str, config: Path, folder: Path, log: Path) -> Result:
    """Migrate in a process of its own."""
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.run(
            [sys.executable, "-m", "alembic", "-c", str(config), "upgrade", "head"],
            cwd=folder,
            env={**os.environ, "DATABASE_URL": address, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
            check=False,
        ).returncode
    return Result(status, log.read_text("utf-8"))


async def upgrade_at_once(
    address: str, config: Path, folders: list[Path], logs: Path
) -> list[Result]:
    """Run a process in each folder; none of them begins before all wait for the lock."""
    files = [logs / f"{number}.log" for number in range(len(folders))]

    def all_wait() -> bool:
        return all(file.exists() and WAITING in file.read_text("utf-8") for file in files)

    async with connected(address) as connection, asyncio.timeout(60):
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        running = [
            asyncio.to_thread(upgrade, address, config, folder, file)
            for folder, file in zip(folders, files, strict=True)
        ]
        results = asyncio.gather(*running)
        while not (all_wait() or results.done()):
            await connection.execute("SELECT pg_sleep(0.05)")
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
        return await results
