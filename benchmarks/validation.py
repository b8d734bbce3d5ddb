"""The pass before the measurement: every service gives the same, right answers."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from benchmarks.load import Generator, make_load
from benchmarks.routes import UNIQUE, Route
from benchmarks.services import Postgres, Running, VoidError

SECONDS = 1


def ask(running: Running, route: Route, database: Postgres) -> tuple[Mapping[str, str], bytes]:
    """Headers and body of the right answer; raises `VoidError` for any other."""
    target = route.target(database.stored, uses_offset=running.service.uses_offset)
    body = route.body.replace(UNIQUE, uuid4().hex[:21])
    status, headers, content = running.ask(route.method, target, body)
    if status != route.status:
        raise VoidError(f"{running.service.name}, {route.name}: {status} {content.decode()}")
    return headers, content


def check_answers(services: Sequence[Running], route: Route, database: Postgres) -> int:
    """The length of every answer; raises `VoidError` when two services differ.

    Reads are the same to the byte; what is made by a write differs in id and time.
    """
    answers = [ask(running, route, database) for running in services]
    first_headers, first = answers[0]
    for running, (headers, content) in zip(services, answers, strict=True):
        is_same = len(content) == len(first) if route.is_write else content == first
        # The usual pattern gives no link to the next page.
        if not running.service.uses_offset:
            is_same = is_same and headers.get("link") == first_headers.get("link")
        if not is_same:
            name = running.service.name
            raise VoidError(f"{route.name}: {name} answers\n{content!r}\ninstead of\n{first!r}")
    return len(first)


def check_under_load(
    generator: Generator, running: Running, route: Route, database: Postgres, length: int
) -> None:
    """Warm a route up with as many clients as ever, and check every answer."""
    target = route.target(database.stored, uses_offset=running.service.uses_offset)
    make_load(
        generator,
        running.address,
        target,
        route,
        clients=32,
        seconds=SECONDS,
        length=length,
    )
