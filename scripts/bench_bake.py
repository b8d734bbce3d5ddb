"""Measure how long generation takes, compared with a template of one file and no hooks.

Both templates are generated in turns by the same command, so that other load on the machine affects
both equally.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent
#: Target for the ratio of the two times.
TARGET = 1.6


def make_empty_template(folder: Path) -> Path:
    """Create the smallest possible template and return its folder."""
    template = folder / "empty"
    source = template / "{{cookiecutter.project_slug}}"
    source.mkdir(parents=True)
    (template / "cookiecutter.json").write_text('{"project_slug": "my-service"}', "utf-8")
    (source / "README.md").write_text("# {{ cookiecutter.project_slug }}\n", "utf-8")
    return template


def children_cpu_seconds() -> float:
    """Return the CPU time of all finished child processes."""
    used = os.times()
    return used.children_user + used.children_system


def generate_command(template: Path, folder: Path, *context: str) -> list[str]:
    """Return the command that generates a project in `folder`, ignoring the user's own defaults."""
    config = folder / "config.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input"]
    return [*command, "--config-file", str(config), "--output-dir", str(folder), *context]


def time_generation(template: Path, folder: Path) -> tuple[float, float]:
    """Generate a project; return the wall-clock time and the CPU time in seconds."""
    command = generate_command(template, Path(tempfile.mkdtemp(dir=folder)))
    start, used = time.perf_counter(), children_cpu_seconds()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, children_cpu_seconds() - used


def main() -> int:
    """Run the comparison. A missed target is no failure: a busy machine may be the cause."""
    parser = argparse.ArgumentParser(description="Measure how long generation takes.")
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory(prefix="bake-") as name:
        folder = Path(name)
        templates = {"empty template": make_empty_template(folder), "this template": TEMPLATE}
        # Warm the caches of the operating system.
        for template in templates.values():
            time_generation(template, folder)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in templates}
        for _ in range(turns):
            for name, template in templates.items():
                times[name].append(time_generation(template, folder))
    print(f"{'median of ' + str(turns):16} {'wall clock':>14} {'CPU':>12}")
    medians = {
        name: [statistics.median(column) for column in zip(*measured, strict=True)]
        for name, measured in times.items()
    }
    for name, (clock, used) in medians.items():
        print(f"{name:16} {clock:12.2f} s {used:10.2f} s")
    clock, used = (this / empty for empty, this in zip(*medians.values(), strict=True))
    print(f"{'ratio':16} {clock:14.2f} {used:12.2f}   (target: {TARGET})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
