"""What was measured, and what follows from it."""

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
    #: Processor time of the server process for one request.
    cpu_us: float
    #: Processor time of the server process for one second.
    busy: float
    #: Processor time of the load generator for one second.
    generator_busy: float
    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass
class ServiceFigures:
    """What is measured of a service as a whole."""

    start_seconds: list[float] = field(default_factory=list)
    start_cpu_seconds: list[float] = field(default_factory=list)
    resident_mib: float = 0.0
    #: By route.
    round_trips: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """What the load generator does where there is no database to wait for."""

    clients: int
    rps: float
    #: Processor time of the generator for one request.
    generator_cpu_us: float


@dataclass
class Report:
    """One run of the benchmark."""

    date: str
    machine: str
    versions: dict[str, str]
    generator: str
    seconds: float
    repetitions: int
    runs: list[Run] = field(default_factory=list)
    services: dict[str, ServiceFigures] = field(default_factory=dict)
    proof: list[Proof] = field(default_factory=list)

    @property
    def routes(self) -> list[str]:
        """The routes that were measured, in their order."""
        return list(dict.fromkeys(run.route for run in self.runs))

    @property
    def clients(self) -> list[int]:
        """The numbers of clients that there were."""
        return sorted({run.clients for run in self.runs})

    def of(self, figure: str, service: str, route: str, clients: int) -> dict[int, float]:
        """A figure by repetition."""
        return {
            run.repetition: float(getattr(run, figure))
            for run in self.runs
            if (run.service, run.route, run.clients) == (service, route, clients)
        }

    def spread(self, figure: str, service: str, route: str, clients: int) -> "Spread | None":
        """A figure over the repetitions, if it was measured."""
        return spread(self.of(figure, service, route, clients).values())

    def ratio(
        self, figure: str, over: str, under: str, route: str, clients: int
    ) -> "Spread | None":
        """A figure of one service divided by that of another, repetition by repetition."""
        above = self.of(figure, over, route, clients)
        below = self.of(figure, under, route, clients)
        return spread(above[turn] / below[turn] for turn in above.keys() & below.keys())


class Spread(NamedTuple):
    """The median, and how far the repetitions lie apart."""

    median: float
    low: float
    high: float

    def text(self, places: int = 0) -> str:
        """For a table: `312 (305 to 330)`."""
        median, low, high = (f"{value:.{places}f}" for value in self)
        return median if low == high else f"{median} ({low} to {high})"


def spread(values: Iterable[float]) -> Spread | None:
    """The spread of some values, None of none."""
    known = sorted(values)
    return Spread(median(known), known[0], known[-1]) if known else None
