"""How long it is from cookiecutter to a project whose tests are all green, in both layers.

Each time in a new project and a new environment. A first turn, which is not counted, downloads
whatever the cache of uv does not have.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bench_bake import TEMPLATE, bake_command

GOAL = 20
LAYERS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["database_layer"]
TESTS = {
    # As `make test` runs them.
    "without coverage": ["uv", "run", "--quiet", "pytest", "-n", "auto", "--dist", "worksteal"],
    "make test": ["make", "test"],
}


def environment() -> dict[str, str]:
    """That of a person's shell: nothing of this process's environment, bytecode is kept."""
    foreign = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if name not in foreign}
    # The uv that runs this may be one that the Makefile has fetched.
    uv = Path(os.environ.get("UV", "uv")).parent
    return {**clean, "PATH": f"{uv}{os.pathsep}{clean['PATH']}"}


def measure(layer: str, tests: list[str]) -> list[float]:
    """Seconds for the bake, for the environment, for the tests, and in all.

    Raises `CalledProcessError` when a test fails.
    """
    with tempfile.TemporaryDirectory(prefix="green-") as name:
        folder = Path(name)
        project = folder / "project"
        answers = f"database_layer={layer}", f"project_slug={project.name}"
        steps = [
            (bake_command(TEMPLATE, folder, *answers), folder),
            (["uv", "sync", "--quiet"], project),
            (tests, project),
        ]
        times = [time.perf_counter()]
        for command, cwd in steps:
            subprocess.run(
                command, cwd=cwd, env=environment(), check=True, stdout=subprocess.DEVNULL
            )
            times.append(time.perf_counter())
    return [end - start for start, end in pairwise(times)] + [times[-1] - times[0]]


def main() -> int:
    """Exit status: always 0, for a busy machine proves nothing."""
    parser = argparse.ArgumentParser(description="Measure the time from cookiecutter to green.")
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    runs = [(layer, name) for name in TESTS for layer in LAYERS]
    measured: dict[tuple[str, str], list[list[float]]] = {run: [] for run in runs}
    for turn in range(turns + 1):
        for layer, name in runs:
            times = measure(layer, TESTS[name])
            if turn:
                measured[layer, name].append(times)
    # Other work on the machine makes a turn longer and never shorter, hence the fastest one.
    columns = ("bake", "sync", "tests", "in all", "fastest")
    print(f"{'median of ' + str(turns):40}", *(f"{column:>8}" for column in columns))
    for (layer, name), all_times in measured.items():
        per_step = list(zip(*all_times, strict=True))
        shown = [*map(statistics.median, per_step), min(per_step[-1])]
        print(f"{layer + ', ' + name:40}", *(f"{seconds:6.1f} s" for seconds in shown))
    print(f"(goal: {GOAL} s in all)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
