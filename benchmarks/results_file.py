"""The results, as stored in `results.json`, and the statistics computed from them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple


@dataclass(frozen=True)
class Run:
    """One service under one load, once."""

    service: str
    route: str
    clients: int
    repetition: int
    #: CPU time of the server process per request.
    cpu_us: float
    #: CPU time of the server process per second.
    busy: float
    #: CPU time of the load generator per second.
    generator_busy: float
    #: Requests per second.
    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass
class ServiceMetrics:
    """Startup, memory and round trips of one service."""

    start_seconds: list[float] = field(default_factory=list)
    start_cpu_seconds: list[float] = field(default_factory=list)
    resident_mib: float = 0.0
    #: Per request, by route.
    round_trips: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class GeneratorHeadroom:
    """What the load generator achieves on a route without database access."""

    clients: int
    rps: float
    #: CPU time of the generator per request.
    generator_cpu_us: float


class Spread(NamedTuple):
    """Median and range of a value over the repetitions."""

    median: float
    low: float
    high: float

    def text(self, places: int = 0) -> str:
        """Format for a table: `312 (305 to 330)`."""
        median, low, high = (f"{value:.{places}f}" for value in self)
        return median if low == high else f"{median} ({low} to {high})"


def spread(values: Iterable[float]) -> Spread | None:
    """Return the spread of some values, or None if there are none."""
    known = sorted(values)
    return Spread(median(known), known[0], known[-1]) if known else None


@dataclass
class Report:
    """Results of one run of the benchmark."""

    date: str
    machine: str
    versions: dict[str, str]
    generator: str
    seconds: float
    repetitions: int
    runs: list[Run] = field(default_factory=list)
    services: dict[str, ServiceMetrics] = field(default_factory=dict)
    headroom: list[GeneratorHeadroom] = field(default_factory=list)

    @property
    def routes(self) -> list[str]:
        """The measured routes, in order of measurement."""
        return list(dict.fromkeys(run.route for run in self.runs))

    @property
    def clients(self) -> list[int]:
        """The measured numbers of clients."""
        return sorted({run.clients for run in self.runs})

    def by_repetition(
        self, metric: str, service: str, route: str, clients: int
    ) -> dict[int, float]:
        """Return the values of one field of `Run`, by repetition."""
        return {
            run.repetition: float(getattr(run, metric))
            for run in self.runs
            if (run.service, run.route, run.clients) == (service, route, clients)
        }

    def spread(self, metric: str, service: str, route: str, clients: int) -> Spread | None:
        """Return the spread of a metric over the repetitions, or None if not measured."""
        return spread(self.by_repetition(metric, service, route, clients).values())

    def ratio(
        self, metric: str, numerator: str, denominator: str, route: str, clients: int
    ) -> Spread | None:
        """Return the spread of the ratio of two services' metrics.

        The ratio is computed per repetition, in which both services ran under the same conditions.
        """
        above = self.by_repetition(metric, numerator, route, clients)
        below = self.by_repetition(metric, denominator, route, clients)
        return spread(above[turn] / below[turn] for turn in above.keys() & below.keys())
