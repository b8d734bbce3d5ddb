"""The results as Markdown: the whole report, and the summary for the README."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product

from benchmarks.environments import LAYERS
from benchmarks.results_file import Report, Spread, spread
from benchmarks.services import DOCUMENTED_PATTERN, RAW_ASYNCPG
from benchmarks.targets import CLIENTS, evaluate

COMPARED_WITH = (RAW_ASYNCPG.name, DOCUMENTED_PATTERN.name)
RATIOS = [f"{layer}: speed vs. {other}" for other in COMPARED_WITH for layer in LAYERS]
METRICS = ("cpu_us", "busy", "rps", "p50_ms", "p95_ms", "p99_ms")
NOT_MEASURED = "-"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table whose first column contains names and whose others are numbers."""
    line = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, line, *rows])


def render_summary(report: Report) -> str:
    """Format the CPU time per request of all services, and the conditions of the run."""
    services = [RAW_ASYNCPG.name, *LAYERS, DOCUMENTED_PATTERN.name]
    rows = [
        [route, *(_median(report.spread("cpu_us", name, route, CLIENTS)) for name in services)]
        for route in report.routes
    ]
    header = ["", *(f"{name}, us" for name in services)]
    return f"{table(header, rows)}\n\n{_conditions(report)}"


def render_full(report: Report) -> str:
    """Format the whole report."""
    sections = {
        f"CPU time of the server process per request, {CLIENTS} clients": render_summary(report),
        "Ratios, with their ranges": _ratios_with_range(report),
        "Targets": _targets(report),
        "CPU time per request, us": _by_load(
            report, lambda cell: _median_and_range(cell["cpu_us"])
        ),
        "Requests per second (CPUs used by the server process)": _by_load(
            report, lambda cell: f"{_median(cell['rps'])} ({_median(cell['busy'], 2)})"
        ),
        "Latency, ms: p50 / p95 / p99": _by_load(
            report,
            lambda cell: " / ".join(_median(cell[f"p{part}_ms"], 1) for part in (50, 95, 99)),
        ),
        "p99 latency with its range, ms": _by_load(
            report, lambda cell: _median_and_range(cell["p99_ms"], 1)
        ),
        "Database round trips per request": _round_trips(report),
        "Startup and memory": _startup_and_memory(report),
        "Headroom of the load generator": _headroom(report),
    }
    parts = [f"## {title}\n{text}\n" for title, text in sections.items()]
    return "\n".join(["# Benchmark results\n", *parts])


def replace_between_markers(text: str, new: str) -> str:
    """Replace what is between the benchmark markers of a page; without markers, change nothing."""
    markers = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
    return markers.sub(lambda found: f"{found[1]}{new}\n{found[2]}", text)


def _ratios(report: Report, route: str) -> list[Spread | None]:
    # Speed is the inverse of CPU time, so the other service's time is the numerator.
    return [
        report.ratio("cpu_us", other, layer, route, CLIENTS)
        for other in COMPARED_WITH
        for layer in LAYERS
    ]


def _ratios_with_range(report: Report) -> str:
    rows = [
        [route, *(_median_and_range(ratio, 2) for ratio in _ratios(report, route))]
        for route in report.routes
    ]
    return table(["", *RATIOS], rows)


def _median(found: Spread | None, places: int = 0) -> str:
    return f"{found.median:.{places}f}" if found else NOT_MEASURED


def _median_and_range(found: Spread | None, places: int = 0) -> str:
    return found.text(places) if found else NOT_MEASURED


def _by_load(report: Report, show: Callable[[dict[str, Spread | None]], str]) -> str:
    """Format a table with a row per route and number of clients, and a column per service.

    `show` formats one cell from the metrics of a service under a load.
    """
    rows = []
    for route, clients in product(report.routes, report.clients):
        row = [f"{route}, {clients}"]
        for service in report.services:
            metrics = {metric: report.spread(metric, service, route, clients) for metric in METRICS}
            row.append(show(metrics) if metrics["rps"] else NOT_MEASURED)
        rows.append(row)
    return table(["route, clients", *report.services], rows)


def _targets(report: Report) -> str:
    rows = [
        [
            target.layer,
            target.description,
            f"{target.measured:.2f}",
            "met" if target.is_met else "**not met**",
        ]
        for target in evaluate(report)
    ]
    return table(["layer", "target", "measured", ""], rows)


def _round_trips(report: Report) -> str:
    counts = {
        name: metrics.round_trips
        for name, metrics in report.services.items()
        if metrics.round_trips
    }
    rows = [
        [route, *(f"{trips[route]:.2f}" for trips in counts.values())] for route in report.routes
    ]
    return table(["", *counts], rows)


def _startup_and_memory(report: Report) -> str:
    rows = []
    for name, metrics in report.services.items():
        start, cpu = spread(metrics.start_seconds), spread(metrics.start_cpu_seconds)
        rows.append(
            [
                name,
                _median_and_range(start, 2),
                _median_and_range(cpu, 2),
                f"{metrics.resident_mib:.0f}",
            ]
        )
    header = ["", "start to first response, s", "CPU time until then, s", "memory, MiB"]
    return table(header, rows)


def _headroom(report: Report) -> str:
    rows = []
    for headroom in report.headroom:
        fastest = max(run.rps for run in report.runs if run.clients == headroom.clients)
        rates = [f"{headroom.rps:.0f}", f"{fastest:.0f}", f"{headroom.generator_cpu_us:.0f}"]
        rows.append([str(headroom.clients), *rates])
    header = ["clients", "requests per second without database", "maximum with database"]
    header.append(f"CPU time of {report.generator} per request, us")
    busiest = max(run.generator_busy for run in report.runs)
    return (
        f"{table(header, rows)}\n\n"
        f"The load generator used at most {busiest:.2f} of one CPU in any run."
    )


def _conditions(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return (
        f"Median of {report.repetitions} runs of {report.seconds:g} s each with {CLIENTS} clients. "
        f"{report.date}, {report.machine}; {versions}; load generated by {report.generator}."
    )
