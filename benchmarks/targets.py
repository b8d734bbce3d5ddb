"""What the measurement is expected to show, and whether it does."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.results_file import Report
from benchmarks.routes import BY_ID, CREATE, LIST, PAGE_400, REDEEM
from benchmarks.services import ASYNC_SESSION, DATABASES, LIMIT, TYPICAL

LAYERS = (ASYNC_SESSION.name, DATABASES.name)
CLIENTS = 8
MANY_CLIENTS = 32
# Two medians are the same within the noise.
NOISE = 0.10

#: Share of the limit's speed that is accepted, and that is aimed at.
OF_LIMIT = {ASYNC_SESSION.name: (0.50, 0.65), DATABASES.name: (0.75, 0.95)}
#: Times the speed of the usual pattern.
OF_TYPICAL = {
    (ASYNC_SESSION.name, BY_ID.name): 2.0,
    (ASYNC_SESSION.name, LIST.name): 1.7,
    (DATABASES.name, BY_ID.name): 2.5,
    (DATABASES.name, LIST.name): 2.2,
    **{(layer, route.name): 1.3 for layer in LAYERS for route in (CREATE, REDEEM)},
}
ROUND_TRIPS = {BY_ID.name: 1.2, LIST.name: 1.2, CREATE.name: 4.0, REDEEM.name: 4.0}


@dataclass(frozen=True)
class Goal:
    """Something that was expected of a layer, in words and in figures."""

    layer: str
    expected: str
    measured: float
    is_met: bool


def judge(report: Report) -> Iterator[Goal]:
    """The goals on which this run has something to say."""
    for layer in LAYERS:
        yield from _speed(report, layer)
        yield from _round_trips(report, layer)
        yield from _pages(report, layer)
        yield from _latency(report, layer)
        yield from _process(report, layer)


def _speed(report: Report, layer: str) -> Iterator[Goal]:
    accepted, aim = OF_LIMIT[layer]
    for route in (BY_ID.name, LIST.name):
        if found := report.ratio("cpu_us", LIMIT.name, layer, route, CLIENTS):
            for least, kind in ((accepted, "accepted"), (aim, "goal")):
                text = f"{route}: at least {least:g} of limit ({kind})"
                yield Goal(layer, text, found.median, found.median >= least)
    for (name, route), times in OF_TYPICAL.items():
        found = report.ratio("cpu_us", TYPICAL.name, layer, route, CLIENTS)
        if name == layer and found:
            text = f"{route}: at least {times:g} times as fast as typical"
            yield Goal(layer, text, found.median, found.median >= times)


def _round_trips(report: Report, layer: str) -> Iterator[Goal]:
    counted = report.services[layer].round_trips
    for route, most in ROUND_TRIPS.items():
        if route in counted:
            text = f"{route}: at most {most:g} round trips"
            yield Goal(layer, text, counted[route], counted[route] <= most)


def _pages(report: Report, layer: str) -> Iterator[Goal]:
    # Where the page begins costs the database, not the service: time tells, with one client.
    far = report.spread("p50_ms", layer, PAGE_400.name, 1)
    near = report.spread("p50_ms", layer, LIST.name, 1)
    if far and near:
        times = far.median / near.median
        yield Goal(layer, "page 400 takes as long as page 1", times, abs(times - 1) <= NOISE)


def _latency(report: Report, layer: str) -> Iterator[Goal]:
    for route in report.routes:
        if found := report.ratio("p99_ms", layer, TYPICAL.name, route, MANY_CLIENTS):
            text = f"{route}: p99 of {MANY_CLIENTS} clients at most that of typical"
            yield Goal(layer, text, found.median, found.median <= 1)


def _process(report: Report, layer: str) -> Iterator[Goal]:
    ours, typical = report.services[layer], report.services[TYPICAL.name]
    start = min(ours.start_cpu_seconds) / min(typical.start_cpu_seconds)
    yield Goal(layer, "start: at most the processor time of typical", start, start <= 1 + NOISE)
    memory = ours.resident_mib / typical.resident_mib
    yield Goal(layer, "memory: at most that of typical", memory, memory <= 1 + NOISE)
