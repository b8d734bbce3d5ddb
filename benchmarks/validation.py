"""Checks before the measurement: every service returns the same, correct responses."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from benchmarks.load import LoadGenerator, run_load
from benchmarks.routes import UNIQUE_VALUE, Route
from benchmarks.services import InvalidRunError, Postgres, ServiceProcess

SECONDS = 1
CLIENTS = 32


def request(
    process: ServiceProcess, route: Route, database: Postgres
) -> tuple[Mapping[str, str], bytes]:
    """Send one request and return the headers and the body of the response.

    Raises InvalidRunError if the status is not the expected one.
    """
    target = route.target(database.stored, uses_offset=process.service.uses_offset)
    body = route.body.replace(UNIQUE_VALUE, uuid4().hex[:21])
    status, headers, content = process.request(route.method, target, body)
    if status != route.status:
        raise InvalidRunError(f"{process.service.name}, {route.name}: {status} {content.decode()}")
    return headers, content


def check_responses(processes: Sequence[ServiceProcess], route: Route, database: Postgres) -> int:
    """Return the length of the response body, which is the same for all services.

    Reads must return the same bytes. Responses to writes differ in IDs and timestamps, and must
    have the same length. Raises InvalidRunError if two services differ.
    """
    responses = [request(process, route, database) for process in processes]
    first_headers, first = responses[0]
    for process, (headers, content) in zip(processes, responses, strict=True):
        is_same = len(content) == len(first) if route.is_write else content == first
        # The documented pattern sends no link to the next page.
        if not process.service.uses_offset:
            is_same = is_same and headers.get("link") == first_headers.get("link")
        if not is_same:
            name = process.service.name
            raise InvalidRunError(
                f"{route.name}: {name} responds\n{content!r}\ninstead of\n{first!r}"
            )
    return len(first)


def check_under_load(
    generator: LoadGenerator,
    process: ServiceProcess,
    route: Route,
    database: Postgres,
    length: int,
) -> None:
    """Warm a route up with the largest number of clients, and check every response."""
    target = route.target(database.stored, uses_offset=process.service.uses_offset)
    run_load(
        generator,
        process.base_url,
        target,
        route,
        clients=CLIENTS,
        seconds=SECONDS,
        length=length,
    )
