"""Command line of the benchmark: `python -m benchmarks`."""

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
    prepare_project,
    project_environment,
    venv_python,
)
from benchmarks.load import find_generator
from benchmarks.measurement import Benchmark, MeasurementPlan, measure, report_progress
from benchmarks.results_file import Report
from benchmarks.routes import QUICK_ROUTES, ROUTES
from benchmarks.schema_check import check_fields
from benchmarks.services import InvalidRunError, run_postgres
from benchmarks.system_info import describe_machine, find_versions

PUBLISHED = Path(__file__).parent / "results"


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two routes, 8 clients")
    parser.add_argument("--seconds", type=float, default=2, help="duration of each load")
    parser.add_argument("--repetitions", type=int, help="of each load")
    parser.add_argument("--output", type=Path, default=CACHE / "results", help="output folder")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="write the results to benchmarks/results and the README",
    )
    options = parser.parse_args()
    if options.publish and options.quick:
        parser.error("--publish needs a full run: omit --quick")
    return options


def run(options: argparse.Namespace) -> Report:
    """Run the benchmark. Raises InvalidRunError if the results are not comparable."""
    check_fields()
    projects = {layer: prepare_project(layer) for layer in LAYERS}
    check_middleware(projects[LAYERS[0]])
    if options.quick:
        plan = MeasurementPlan(
            QUICK_ROUTES, (8,), options.repetitions or 3, options.seconds, starts=1
        )
    else:
        plan = MeasurementPlan(
            ROUTES, (1, 8, 32), options.repetitions or 4, options.seconds, starts=5
        )
    generator = find_generator()
    results = Report(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=describe_machine(),
        versions={},
        generator=generator.name,
        seconds=plan.seconds,
        repetitions=plan.repetitions,
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        with run_postgres(projects[LAYERS[0]], folder / "postgres") as database:
            results.versions = find_versions(projects.values(), database.stored["version"])
            measure(Benchmark(plan, projects, database, generator, folder, results))
    return results


def check_middleware(project: Path) -> None:
    """Raise InvalidRunError unless all services run under the same middleware."""
    environment = project_environment(ENVIRONMENT="production", DATABASE_URL="postgresql://")
    command = [venv_python(project), "-m", "check_middleware_stack"]
    checked = subprocess.run(command, cwd=project, env=environment, check=False)
    if checked.returncode != 0:
        raise InvalidRunError("The middleware stacks differ; see the output above.")


def write(results: Report, folder: Path) -> None:
    """Write the results as JSON, Markdown and SVG."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n", "utf-8")
    (folder / "results.md").write_text(report.render_full(results), "utf-8")
    (folder / "results.svg").write_text(plot.draw(results), "utf-8")


def publish_summary(results: Report) -> None:
    """Replace the table of results in the README."""
    readme = TEMPLATE / "README.md"
    text = report.replace_between_markers(readme.read_text("utf-8"), report.render_summary(results))
    readme.write_text(text, "utf-8")


def main() -> int:
    """Run the benchmark. The exit status is 1 for an invalid run."""
    options = parse_arguments()
    # Raise KeyboardInterrupt on SIGTERM too, so that all started processes are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with exclusive_cache():
            results = run(options)
    except InvalidRunError as error:
        report_progress(f"Invalid run: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    folder = PUBLISHED if options.publish else options.output
    write(results, folder)
    if options.publish:
        publish_summary(results)
    print(report.render_full(results))
    report_progress(f"Results written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
