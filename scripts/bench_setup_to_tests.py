"""Measure the time from cookiecutter to passing tests, for both database layers.

Each turn uses a new project and a new virtual environment. The first turn is not counted: it fills
uv's download cache.
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

from bench_bake import TEMPLATE, generate_command

#: Target for the total, in seconds.
TARGET = 20
LAYERS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["database_layer"]
TESTS = {
    # The options of `make test`, without coverage.
    "without coverage": ["uv", "run", "--quiet", "pytest", "-n", "auto", "--dist", "worksteal"],
    "make test": ["make", "test"],
}


def environment() -> dict[str, str]:
    """Return the environment of a shell without an active virtual environment; uv is on PATH."""
    foreign = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if name not in foreign}
    # The Makefile may have installed uv into .uv, which is not on PATH.
    uv = Path(os.environ.get("UV", "uv")).parent
    return {**clean, "PATH": f"{uv}{os.pathsep}{clean['PATH']}"}


def measure(layer: str, tests: list[str]) -> list[float]:
    """Return the seconds for generation, installation, tests, and in total.

    Raises CalledProcessError if a test fails.
    """
    with tempfile.TemporaryDirectory(prefix="setup-") as name:
        folder = Path(name)
        project = folder / "project"
        features = "example=true", "auth=true"
        context = f"database_layer={layer}", f"project_slug={project.name}", *features
        steps = [
            (generate_command(TEMPLATE, folder, *context), folder),
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
    """Run the measurement. A missed target is no failure: a busy machine may be the cause."""
    parser = argparse.ArgumentParser(
        description="Measure the time from cookiecutter to passing tests."
    )
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    runs = [(layer, name) for name in TESTS for layer in LAYERS]
    measured: dict[tuple[str, str], list[list[float]]] = {run: [] for run in runs}
    for turn in range(turns + 1):
        for layer, name in runs:
            times = measure(layer, TESTS[name])
            if turn:
                measured[layer, name].append(times)
    # Other load on the machine only makes a turn longer, so the fastest turn is shown too.
    columns = ("generate", "sync", "tests", "total", "fastest")
    print(f"{'median of ' + str(turns):40}", *(f"{column:>8}" for column in columns))
    for (layer, name), all_times in measured.items():
        per_step = list(zip(*all_times, strict=True))
        shown = [*map(statistics.median, per_step), min(per_step[-1])]
        print(f"{layer + ', ' + name:40}", *(f"{seconds:6.1f} s" for seconds in shown))
    print(f"(target: {TARGET} s in total)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
