"""Performance targets, and whether a run meets them."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.environments import LAYERS
from benchmarks.results_file import Report
from benchmarks.routes import BY_ID, CREATE, LIST, PAGE_400, REDEEM
from benchmarks.services import DOCUMENTED_PATTERN, RAW_ASYNCPG

CLIENTS = 8
MANY_CLIENTS = 32
#: Two medians that differ by less than this are considered equal.
NOISE = 0.10
WITHIN_NOISE = f"within {NOISE:.0%}"

#: Speed relative to raw asyncpg, by layer: the minimum, and the target.
RELATIVE_TO_RAW_ASYNCPG = {"async-session": (0.50, 0.65), "databases": (0.75, 0.95)}
#: Minimum speed-up over the documented pattern, by layer and route.
SPEEDUP_OVER_DOCUMENTED = {
    ("async-session", BY_ID.name): 2.0,
    ("async-session", LIST.name): 1.7,
    ("databases", BY_ID.name): 2.5,
    ("databases", LIST.name): 2.2,
    **{(layer, route.name): 1.3 for layer in LAYERS for route in (CREATE, REDEEM)},
}
#: Maximum round trips per request, by route.
ROUND_TRIPS = {BY_ID.name: 1.2, LIST.name: 1.2, CREATE.name: 4.0, REDEEM.name: 4.0}


@dataclass(frozen=True)
class Target:
    """A target of a layer, with the measured value."""

    layer: str
    description: str
    measured: float
    is_met: bool


def evaluate(report: Report) -> Iterator[Target]:
    """Compare a run with all targets for which it has measurements."""
    for layer in LAYERS:
        yield from _speed(report, layer)
        yield from _round_trips(report, layer)
        yield from _late_page(report, layer)
        yield from _latency(report, layer)
        yield from _startup_and_memory(report, layer)


def _speed(report: Report, layer: str) -> Iterator[Target]:
    minimum, target = RELATIVE_TO_RAW_ASYNCPG[layer]
    for route in (BY_ID.name, LIST.name):
        if found := report.ratio("cpu_us", RAW_ASYNCPG.name, layer, route, CLIENTS):
            for least, kind in ((minimum, "minimum"), (target, "target")):
                text = f"{route}: at least {least:g} x the speed of {RAW_ASYNCPG.name} ({kind})"
                yield Target(layer, text, found.median, found.median >= least)
    for (name, route), least in SPEEDUP_OVER_DOCUMENTED.items():
        found = report.ratio("cpu_us", DOCUMENTED_PATTERN.name, layer, route, CLIENTS)
        if name == layer and found:
            text = f"{route}: at least {least:g} x the speed of {DOCUMENTED_PATTERN.name}"
            yield Target(layer, text, found.median, found.median >= least)


def _round_trips(report: Report, layer: str) -> Iterator[Target]:
    counts = report.services[layer].round_trips
    for route, most in ROUND_TRIPS.items():
        if route in counts:
            text = f"{route}: at most {most:g} round trips"
            yield Target(layer, text, counts[route], counts[route] <= most)


def _late_page(report: Report, layer: str) -> Iterator[Target]:
    # Finding the start of a page takes CPU time in the database and not in the service, so the
    # latency of a single client is compared.
    late = report.spread("p50_ms", layer, PAGE_400.name, 1)
    first = report.spread("p50_ms", layer, LIST.name, 1)
    if late and first:
        ratio = late.median / first.median
        text = f"latency of page 400 equals that of page 1 ({WITHIN_NOISE})"
        yield Target(layer, text, ratio, abs(ratio - 1) <= NOISE)


def _latency(report: Report, layer: str) -> Iterator[Target]:
    other = DOCUMENTED_PATTERN.name
    for route in report.routes:
        if found := report.ratio("p99_ms", layer, other, route, MANY_CLIENTS):
            text = f"{route}: p99 with {MANY_CLIENTS} clients at most that of {other}"
            yield Target(layer, text, found.median, found.median <= 1)


def _startup_and_memory(report: Report, layer: str) -> Iterator[Target]:
    name = DOCUMENTED_PATTERN.name
    ours, other = report.services[layer], report.services[name]
    startup = min(ours.start_cpu_seconds) / min(other.start_cpu_seconds)
    text = f"startup: at most the CPU time of {name} ({WITHIN_NOISE})"
    yield Target(layer, text, startup, startup <= 1 + NOISE)
    memory = ours.resident_mib / other.resident_mib
    text = f"memory: at most that of {name} ({WITHIN_NOISE})"
    yield Target(layer, text, memory, memory <= 1 + NOISE)
