"""How long this template takes to bake, beside one that has a single file and no hooks.

Both by the same command, taking turns, so that what else the machine does falls on both alike.
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
GOAL = 1.6


def make_empty_template(folder: Path) -> Path:
    """A template as small as can be."""
    template = folder / "empty"
    source = template / "{{cookiecutter.project_slug}}"
    source.mkdir(parents=True)
    (template / "cookiecutter.json").write_text('{"project_slug": "my-service"}', "utf-8")
    (source / "README.md").write_text("# {{ cookiecutter.project_slug }}\n", "utf-8")
    return template


def processor_seconds() -> float:
    """What all commands that have ended have used."""
    used = os.times()
    return used.children_user + used.children_system


def bake_command(template: Path, folder: Path, *answers: str) -> list[str]:
    """The line that makes a project in `folder`, whatever this person's own defaults are."""
    config = folder / "config.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input"]
    return [*command, "--config-file", str(config), "--output-dir", str(folder), *answers]


def bake(template: Path, folder: Path) -> tuple[float, float]:
    """Seconds by the clock, and of a processor."""
    command = bake_command(template, Path(tempfile.mkdtemp(dir=folder)))
    start, used = time.perf_counter(), processor_seconds()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, processor_seconds() - used


def main() -> int:
    """Exit status: always 0, for a busy machine proves nothing."""
    parser = argparse.ArgumentParser(description="Measure the bake beside an empty template.")
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory(prefix="bake-") as name:
        folder = Path(name)
        templates = {"empty template": make_empty_template(folder), "this template": TEMPLATE}
        # The first of each fills the caches of the system.
        for template in templates.values():
            bake(template, folder)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in templates}
        for _ in range(turns):
            for name, template in templates.items():
                times[name].append(bake(template, folder))
    print(f"{'median of ' + str(turns):16} {'by the clock':>14} {'processor':>12}")
    medians = {
        name: [statistics.median(column) for column in zip(*measured, strict=True)]
        for name, measured in times.items()
    }
    for name, (clock, used) in medians.items():
        print(f"{name:16} {clock:12.2f} s {used:10.2f} s")
    clock, used = (this / empty for empty, this in zip(*medians.values(), strict=True))
    print(f"{'ratio':16} {clock:14.2f} {used:12.2f}   (goal: {GOAL})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
