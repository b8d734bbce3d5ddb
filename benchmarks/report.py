"""The report as Markdown: all of it, and the part that stands in the README."""

import re
from collections.abc import Callable, Iterable, Sequence

from benchmarks.results_file import Report, Spread, spread
from benchmarks.services import ASYNC_SESSION, DATABASES, LIMIT, TYPICAL
from benchmarks.targets import CLIENTS, judge

LAYERS = (ASYNC_SESSION.name, DATABASES.name)
RATIOS = [f"{layer}: {what}" for what in ("of limit", "times typical") for layer in LAYERS]
NONE = "-"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, its first column for names."""
    line = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, line, *rows])


def summary(report: Report) -> str:
    """What a reader wants first: processor time for a request, and what that is to the others."""
    services = [LIMIT.name, *LAYERS, TYPICAL.name]
    rows = [
        [
            route,
            *(_middle(report.spread("cpu_us", name, route, CLIENTS)) for name in services),
            *(_middle(ratio, 2) for ratio in _ratios(report, route)),
        ]
        for route in report.routes
    ]
    header = ["", *(f"{name}, us" for name in services), *RATIOS]
    return f"{table(header, rows)}\n\n{_circumstances(report)}"


def full(report: Report) -> str:
    """The whole report."""
    sections = {
        f"Processor time of the server process for a request, {CLIENTS} clients": summary(report),
        "The ratios with their spread": _ratios_with_spread(report),
        "What was expected": _goals(report),
        "Processor time for a request, us": _by_load(report, lambda cell: _text(cell("cpu_us"))),
        "Requests a second (part of one processor that the server process used)": _by_load(
            report, lambda cell: f"{_middle(cell('rps'))} ({_middle(cell('busy'), 2)})"
        ),
        "Latency, ms: p50 / p95 / p99": _by_load(
            report,
            lambda cell: " / ".join(_middle(cell(f"p{part}_ms"), 1) for part in (50, 95, 99)),
        ),
        "p99 with its spread, ms": _by_load(report, lambda cell: _text(cell("p99_ms"), 1)),
        "Round trips to the database for a request": _round_trips(report),
        "Start and memory": _processes(report),
        "The load generator is not the bottleneck": _proof(report),
    }
    parts = [f"## {title}\n{text}\n" for title, text in sections.items()]
    return "\n".join(["# The request path, measured\n", *parts])


def embed(text: str, shown: str) -> str:
    """A text with what stands between its two marks replaced; without marks, as it is."""
    marks = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}{shown}\n{found[2]}", text)


def _ratios(report: Report, route: str) -> list[Spread | None]:
    # The less time, the faster: a share of the limit's speed, and times the usual one.
    return [
        report.ratio("cpu_us", other, layer, route, CLIENTS)
        for other in (LIMIT.name, TYPICAL.name)
        for layer in LAYERS
    ]


def _ratios_with_spread(report: Report) -> str:
    rows = [
        [route, *(_text(ratio, 2) for ratio in _ratios(report, route))] for route in report.routes
    ]
    return table(["", *RATIOS], rows)


def _middle(found: Spread | None, places: int = 0) -> str:
    return f"{found.median:.{places}f}" if found else NONE


def _text(found: Spread | None, places: int = 0) -> str:
    return found.text(places) if found else NONE


Cell = Callable[[str], Spread | None]


def _by_load(report: Report, show: Callable[[Cell], str]) -> str:
    rows = []
    for route in report.routes:
        for clients in report.clients:
            row = [f"{route}, {clients}"]
            for service in report.services:

                def cell(
                    figure: str, service: str = service, route: str = route, clients: int = clients
                ) -> Spread | None:
                    return report.spread(figure, service, route, clients)

                row.append(show(cell) if cell("rps") else NONE)
            rows.append(row)
    return table(["route, clients", *report.services], rows)


def _goals(report: Report) -> str:
    rows = [
        [
            goal.layer,
            goal.expected,
            f"{goal.measured:.2f}",
            "reached" if goal.is_met else "**not reached**",
        ]
        for goal in judge(report)
    ]
    return table(["layer", "expected", "measured", ""], rows)


def _round_trips(report: Report) -> str:
    counted = {name: of.round_trips for name, of in report.services.items() if of.round_trips}
    rows = [
        [route, *(f"{trips[route]:.2f}" for trips in counted.values())] for route in report.routes
    ]
    return table(["", *counted], rows)


def _processes(report: Report) -> str:
    rows = []
    for name, of in report.services.items():
        start, cpu = spread(of.start_seconds), spread(of.start_cpu_seconds)
        rows.append([name, _text(start, 2), _text(cpu, 2), f"{of.resident_mib:.0f}"])
    header = ["", "start to first answer, s", "processor time until then, s", "memory, MiB"]
    return table(header, rows)


def _proof(report: Report) -> str:
    rows = []
    for proof in report.proof:
        fastest = max(run.rps for run in report.runs if run.clients == proof.clients)
        rates = [f"{proof.rps:.0f}", f"{fastest:.0f}", f"{proof.generator_cpu_us:.0f}"]
        rows.append([str(proof.clients), *rates])
    header = ["clients", "requests a second without a database", "at most with one"]
    header.append(f"processor time of {report.generator} for a request, us")
    busiest = max(run.generator_busy for run in report.runs)
    return (
        f"{table(header, rows)}\n\nIn no run did it use more than {busiest:.2f} of one processor."
    )


def _circumstances(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return (
        f"Median of {report.repetitions} runs of {report.seconds:g} s each, {CLIENTS} clients. "
        f"{report.date}, {report.machine}; {versions}; load by {report.generator}."
    )
