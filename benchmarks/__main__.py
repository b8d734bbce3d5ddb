"""`python -m benchmarks`: measure both layers and what they are compared with."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import plot, report
from benchmarks.environments import (
    CACHE,
    LAYERS,
    TEMPLATE,
    exclusive_cache,
    interpreter,
    prepare_project,
    project_environment,
)
from benchmarks.load import find_generator
from benchmarks.measurement import Bench, Plan, measure, say
from benchmarks.results_file import Report
from benchmarks.routes import QUICK_ROUTES, ROUTES
from benchmarks.services import VoidError, postgres
from benchmarks.system_info import describe_machine, find_versions

PUBLISHED = Path(__file__).parent / "results"


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two routes, 8 clients")
    parser.add_argument("--seconds", type=float, default=2, help="of each load")
    parser.add_argument("--repetitions", type=int, help="of each load")
    parser.add_argument("--output", type=Path, default=CACHE / "results", help="a folder")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write into benchmarks/results and the README, from a whole run",
    )
    asked = parser.parse_args()
    if asked.publish and asked.quick:
        parser.error("a quick run is not for publication")
    return asked


def run(asked: argparse.Namespace) -> Report:
    """Measure; raises `VoidError` when the figures would say nothing."""
    projects = {layer: prepare_project(layer) for layer in LAYERS}
    check_surroundings(projects["async-session"])
    if asked.quick:
        plan = Plan(QUICK_ROUTES, (8,), asked.repetitions or 3, asked.seconds, starts=1)
    else:
        plan = Plan(ROUTES, (1, 8, 32), asked.repetitions or 4, asked.seconds, starts=5)
    generator = find_generator()
    made = Report(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=describe_machine(),
        versions={},
        generator=generator.name,
        seconds=plan.seconds,
        repetitions=plan.repetitions,
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        with postgres(projects["async-session"], folder / "postgres") as database:
            made.versions = find_versions(projects["databases"], database.stored["version"])
            measure(Bench(plan, projects, database, generator, folder, made))
    return made


def check_surroundings(project: Path) -> None:
    """Raise `VoidError` unless all services stand under the same middleware."""
    environment = project_environment(ENVIRONMENT="production", DATABASE_URL="postgresql://")
    command = [interpreter(project), "-m", "check_middleware_stack"]
    checked = subprocess.run(command, cwd=project, env=environment, check=False)
    if checked.returncode != 0:
        raise VoidError("The services are not comparable, see above.")


def write(made: Report, folder: Path) -> None:
    """Write the report in all its forms."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(asdict(made), indent=1) + "\n", "utf-8")
    (folder / "results.md").write_text(report.full(made), "utf-8")
    (folder / "results.svg").write_text(plot.draw(made), "utf-8")


def main() -> int:
    """Exit status: 1 when the run is void."""
    asked = arguments()
    # As an exception, so that everything that was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with exclusive_cache():
            made = run(asked)
    except VoidError as error:
        say(f"This run is void. {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    folder = PUBLISHED if asked.publish else asked.output
    write(made, folder)
    if asked.publish:
        readme = TEMPLATE / "README.md"
        readme.write_text(report.embed(readme.read_text("utf-8"), report.summary(made)), "utf-8")
    print(report.full(made))
    say(f"Written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
