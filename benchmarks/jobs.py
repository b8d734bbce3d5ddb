"""Measure the cost of enqueueing a job, the rate of one worker, and the queries of an idle one.

    python -m benchmarks.jobs --layer databases

A transaction that writes a row and one that also enqueues a job are measured in turns, so the
ratios are more reliable than the times.
"""

import argparse
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.environments import (
    LAYERS,
    exclusive_cache,
    prepare_project,
    project_environment,
    venv_python,
)
from benchmarks.round_trips import counting_proxy
from benchmarks.search import filled_databases

# The fewest that `many_rows` inserts.
ROWS = 100
# Transactions without and with a job.
KINDS = ("write", "enqueue")
# How many of them, of which the first ones also prepare the statements.
FEW, MANY = 100, 300
# Seconds in which a worker has done what it does only at the start.
START_SECONDS = 5


def main() -> None:
    """Parse the command line and measure the layers, one after the other."""
    parser = argparse.ArgumentParser(description="Measure jobs.")
    parser.add_argument("--layer", choices=LAYERS)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--idle-seconds", type=int, default=60)
    options = parser.parse_args()
    with exclusive_cache():
        for layer in [options.layer] if options.layer else LAYERS:
            print(layer, flush=True)
            measure(prepare_project(layer), options)


def measure(project: Path, options: argparse.Namespace) -> None:
    """Print the measurements of one project."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp"))
        [database] = stack.enter_context(filled_databases([project], Path(folder, "data"), ROWS))
        proxy, url = stack.enter_context(counting_proxy(database["url"]))

        def count(mode: str, number: int) -> int:
            before = proxy.round_trips
            run(project, url, mode, number)
            return proxy.round_trips - before

        run(project, database["url"], "compare", options.turns)
        trips = [(count(kind, MANY) - count(kind, FEW)) / (MANY - FEW) for kind in KINDS]
        print(f"round trips: write {trips[0]:.2f}, with a job {trips[1]:.2f}", flush=True)
        run(project, database["url"], "run", options.jobs)
        idle = count("idle", START_SECONDS + options.idle_seconds) - count("idle", START_SECONDS)
        print(f"{idle * 60 / options.idle_seconds:.0f} queries per minute of an idle worker")


def run(project: Path, url: str, mode: str, number: int) -> None:
    """Run `in_venv/time_jobs.py`, which prints its results."""
    subprocess.run(
        [venv_python(project), "-m", "time_jobs", mode, str(number)],
        cwd=project,
        env=project_environment(DATABASE_URL=url),
        check=True,
    )


if __name__ == "__main__":
    main()
