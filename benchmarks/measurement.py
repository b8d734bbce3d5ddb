"""The measurement itself: services take turns under one load after the other."""

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Generator, make_load
from benchmarks.results_file import Proof, Report, Run, ServiceFigures
from benchmarks.round_trips import count_round_trips, counting
from benchmarks.routes import PROOF, Route
from benchmarks.services import BARE, SERVICES, Postgres, Running, Service, empty_log, serving
from benchmarks.validation import check_answers, check_under_load

#: The bare limit is beside the others with this many clients only.
BARE_CLIENTS = 8


@dataclass(frozen=True)
class Plan:
    """What is measured, how often and how long (in seconds)."""

    routes: Sequence[Route]
    clients: Sequence[int]
    repetitions: int
    seconds: float
    #: Of each service, for the time that it takes.
    starts: int


@dataclass(frozen=True)
class Bench:
    """Everything that a measurement needs."""

    plan: Plan
    #: By layer.
    projects: Mapping[str, Path]
    database: Postgres
    generator: Generator
    #: For the logs of the services.
    folder: Path
    report: Report

    def log(self, service: Service) -> Path:
        """Where a service writes."""
        return self.folder / f"{service.database}.log"


def measure(bench: Bench) -> None:
    """Fill the report; raises `VoidError` when anything is not as it should be."""
    with ExitStack() as stack:
        running = start_services(bench, stack)
        reads = [route for route in bench.plan.routes if not route.is_write]
        writes = [route for route in bench.plan.routes if route.is_write]
        for routes in filter(None, (reads, writes)):
            say(f"Checking the answers of {', '.join(route.name for route in routes)}")
            for route in routes:
                length = check_answers(running, route, bench.database)
                for service in running:
                    check_under_load(bench.generator, service, route, bench.database, length)
            for run in measure_routes(bench, running, routes):
                bench.report.runs.append(run)
        for service in running:
            figures = bench.report.services[service.service.name]
            figures.resident_mib = service.resident_bytes() / 2**20
        bench.report.proof.extend(prove(bench, running[0]))
    count_all_round_trips(bench)


def start_services(bench: Bench, stack: ExitStack) -> list[Running]:
    """Start each service some times, in turns, and leave it running the last time."""
    say("Starting the services")
    running = []
    for turn in range(bench.plan.starts):
        for service in SERVICES:
            url = bench.database.urls[service.database]
            project, log = bench.projects[service.layer], bench.log(service)
            context = serving(service, project, url, log)
            is_last = turn == bench.plan.starts - 1
            with ExitStack() as once:
                process, start = (stack if is_last else once).enter_context(context)
            figures = bench.report.services.setdefault(service.name, ServiceFigures())
            figures.start_seconds.append(start.seconds)
            figures.start_cpu_seconds.append(start.cpu_seconds)
            running += [process] if is_last else []
    return running


def measure_routes(
    bench: Bench, running: Sequence[Running], routes: Sequence[Route]
) -> Iterator[Run]:
    """Services take turns in the innermost loop, so that noise falls on all alike."""
    plan = bench.plan
    for repetition in range(plan.repetitions):
        for route in routes:
            say(f"Repetition {repetition + 1} of {plan.repetitions}: {route.name}")
            for clients in plan.clients:
                first = repetition % len(running)
                for service in [*running[first:], *running[:first]]:
                    if service.service is not BARE or clients == BARE_CLIENTS:
                        yield measure_once(bench, service, route, clients, repetition)


def measure_once(
    bench: Bench, running: Running, route: Route, clients: int, repetition: int
) -> Run:
    """One service under one load."""
    service = running.service
    target = route.target(bench.database.stored, uses_offset=service.uses_offset)
    seconds = bench.plan.seconds
    before = running.cpu_seconds()
    load = make_load(
        bench.generator, running.address, target, route, clients=clients, seconds=seconds
    )
    used = running.cpu_seconds() - before
    empty_log(bench.log(service))
    return Run(
        service=service.name,
        route=route.name,
        clients=clients,
        repetition=repetition,
        cpu_us=used / load.requests * 1e6,
        busy=used / load.seconds,
        generator_busy=load.cpu_seconds / load.seconds,
        rps=load.requests / load.seconds,
        p50_ms=load.p50_ms,
        p95_ms=load.p95_ms,
        p99_ms=load.p99_ms,
    )


def prove(bench: Bench, bare: Running) -> Iterator[Proof]:
    """What the load generator can do, by a route that asks no database."""
    say("Measuring the load generator")
    target = PROOF.path
    for clients in bench.plan.clients:
        loads = [
            make_load(
                bench.generator, bare.address, target, PROOF, clients=clients, seconds=1, length=15
            )
            for _ in range(2)
        ]
        yield Proof(
            clients=clients,
            rps=statistics.median(load.requests / load.seconds for load in loads),
            generator_cpu_us=min(load.cpu_seconds / load.requests for load in loads) * 1e6,
        )


def count_all_round_trips(bench: Bench) -> None:
    """Once more, one request at a time and through a proxy that counts."""
    say("Counting round trips")
    for service in SERVICES:
        if service is not BARE:
            with counting(bench.database.urls[service.database]) as (proxy, url):
                project, log = bench.projects[service.layer], bench.log(service)
                with serving(service, project, url, log) as (running, _):
                    counted = count_round_trips(proxy, running, bench.plan.routes, bench.database)
            bench.report.services[service.name].round_trips = counted


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)
