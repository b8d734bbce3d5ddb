"""The measurement: every service handles the same loads, in turns."""

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import LoadGenerator, run_load
from benchmarks.results_file import GeneratorHeadroom, Report, Run, ServiceMetrics
from benchmarks.round_trips import count_round_trips, counting_proxy
from benchmarks.routes import NO_DATABASE, Route
from benchmarks.services import (
    RAW_ASYNCPG_NO_MIDDLEWARE,
    SERVICES,
    Postgres,
    Service,
    ServiceProcess,
    check_and_truncate_log,
    run_service,
)
from benchmarks.validation import check_responses, check_under_load

#: The service without middleware is measured with this number of clients only.
NO_MIDDLEWARE_CLIENTS = 8


@dataclass(frozen=True)
class MeasurementPlan:
    """Routes, numbers of clients, and the number and duration of the repetitions."""

    routes: Sequence[Route]
    clients: Sequence[int]
    repetitions: int
    #: Duration of each load.
    seconds: float
    #: How often each service is started, to measure its startup.
    starts: int


@dataclass(frozen=True)
class Benchmark:
    """The plan, the services' environment, and the report to fill."""

    plan: MeasurementPlan
    #: By layer.
    projects: Mapping[str, Path]
    database: Postgres
    generator: LoadGenerator
    #: Folder of the services' logs.
    folder: Path
    report: Report

    def log(self, service: Service) -> Path:
        """Return the log file of a service."""
        return self.folder / f"{service.name}.log"


def measure(benchmark: Benchmark) -> None:
    """Fill the report. Raises InvalidRunError if a response or a log shows an error."""
    with ExitStack() as stack:
        processes = start_services(benchmark, stack)
        reads = [route for route in benchmark.plan.routes if not route.is_write]
        writes = [route for route in benchmark.plan.routes if route.is_write]
        # Reads first: writes change what the list routes return.
        for routes in filter(None, (reads, writes)):
            report_progress(f"Checking responses: {', '.join(route.name for route in routes)}")
            for route in routes:
                length = check_responses(processes, route, benchmark.database)
                for process in processes:
                    check_under_load(
                        benchmark.generator, process, route, benchmark.database, length
                    )
            for run in measure_routes(benchmark, processes, routes):
                benchmark.report.runs.append(run)
        for process in processes:
            metrics = benchmark.report.services[process.service.name]
            metrics.resident_mib = process.resident_bytes() / 2**20
        benchmark.report.headroom.extend(measure_headroom(benchmark, processes[0]))
    count_all_round_trips(benchmark)


def start_services(benchmark: Benchmark, stack: ExitStack) -> list[ServiceProcess]:
    """Start every service several times, in turns, and keep the last process of each."""
    report_progress("Starting the services")
    processes = []
    for turn in range(benchmark.plan.starts):
        for service in SERVICES:
            url = benchmark.database.urls[service.name]
            project, log = benchmark.projects[service.layer], benchmark.log(service)
            context = run_service(service, project, url, log)
            is_last = turn == benchmark.plan.starts - 1
            with ExitStack() as stopped_at_once:
                process, cost = (stack if is_last else stopped_at_once).enter_context(context)
            metrics = benchmark.report.services.setdefault(service.name, ServiceMetrics())
            metrics.start_seconds.append(cost.seconds)
            metrics.start_cpu_seconds.append(cost.cpu_seconds)
            processes += [process] if is_last else []
    return processes


def measure_routes(
    benchmark: Benchmark, processes: Sequence[ServiceProcess], routes: Sequence[Route]
) -> Iterator[Run]:
    """Yield all runs. Services alternate in the innermost loop, so that noise affects them all."""
    plan = benchmark.plan
    for repetition in range(plan.repetitions):
        for route in routes:
            report_progress(f"Repetition {repetition + 1} of {plan.repetitions}: {route.name}")
            for clients in plan.clients:
                # A different service goes first in each repetition.
                first = repetition % len(processes)
                for process in [*processes[first:], *processes[:first]]:
                    is_optional = process.service is RAW_ASYNCPG_NO_MIDDLEWARE
                    if not is_optional or clients == NO_MIDDLEWARE_CLIENTS:
                        yield measure_once(benchmark, process, route, clients, repetition)


def measure_once(
    benchmark: Benchmark, process: ServiceProcess, route: Route, clients: int, repetition: int
) -> Run:
    """Measure one service under one load."""
    service = process.service
    target = route.target(benchmark.database.stored, uses_offset=service.uses_offset)
    seconds = benchmark.plan.seconds
    before = process.cpu_seconds()
    load = run_load(
        benchmark.generator, process.base_url, target, route, clients=clients, seconds=seconds
    )
    used = process.cpu_seconds() - before
    check_and_truncate_log(benchmark.log(service))
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


def measure_headroom(benchmark: Benchmark, process: ServiceProcess) -> Iterator[GeneratorHeadroom]:
    """Measure what the load generator achieves on a route without database access."""
    report_progress("Measuring the load generator")
    for clients in benchmark.plan.clients:
        loads = [
            run_load(
                benchmark.generator,
                process.base_url,
                NO_DATABASE.path,
                NO_DATABASE,
                clients=clients,
                seconds=1,
                length=len('{"status":"ok"}'),
            )
            for _ in range(2)
        ]
        yield GeneratorHeadroom(
            clients=clients,
            rps=statistics.median(load.requests / load.seconds for load in loads),
            generator_cpu_us=min(load.cpu_seconds / load.requests for load in loads) * 1e6,
        )


def count_all_round_trips(benchmark: Benchmark) -> None:
    """Count round trips: one request at a time, through a proxy before the database."""
    report_progress("Counting round trips")
    for service in SERVICES:
        if service is not RAW_ASYNCPG_NO_MIDDLEWARE:
            with counting_proxy(benchmark.database.urls[service.name]) as (proxy, url):
                project, log = benchmark.projects[service.layer], benchmark.log(service)
                with run_service(service, project, url, log) as (process, _):
                    counts = count_round_trips(
                        proxy, process, benchmark.plan.routes, benchmark.database
                    )
            benchmark.report.services[service.name].round_trips = counts


def report_progress(text: str) -> None:
    """Print a line to standard error."""
    print(text, file=sys.stderr, flush=True)
