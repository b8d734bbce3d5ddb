"""The benchmark: its arithmetic at once, and a very short run of it."""

import json
import shutil
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import LAYERS, TEMPLATE, Project

from benchmarks import plot, report
from benchmarks.environments import INSIDE, interpreter, prepare_project
from benchmarks.figures import Proof, Report, Run, ServiceFigures, Spread
from benchmarks.goals import judge
from benchmarks.load import Generator, Load, Package, Wrk, make_load, parse
from benchmarks.round_trips import Proxy
from benchmarks.routes import BY_ID, CREATE, LIST, PAGE_400, PREFIX, ROUTES
from benchmarks.services import SERVICES, VoidError, empty_log

SUMMARY = '{"requests": 10, "errors": %d, "seconds": 1, "p50_ms": 1, "p95_ms": 2, "p99_ms": 3}'


def make_report(**cpu_us: list[float]) -> Report:
    """A report of runs of GET by id that took so long, by service and repetition."""
    names = [service.name for service in SERVICES]
    made = Report("2026-01-31", "a machine", {"Python": "3.13"}, "wrk", 2, 2)
    made.services = {name: ServiceFigures([1.0], [0.5], 80.0, {BY_ID.name: 1}) for name in names}
    made.proof = [Proof(8, 9000, 20)]
    made.runs = [
        Run(name, BY_ID.name, 8, turn, used, 0.9, 0.1, 1e6 / used, 1, 2, 3)
        for name in names
        for turn, used in enumerate(cpu_us.get(name.replace("-", "_"), [400, 500]))
    ]
    return made


class Fake:
    """A load generator that reports what it is told to."""

    name = "fake"

    def __init__(self, errors: int) -> None:
        self._errors = errors

    def command(self, *_: object) -> list[str]:
        return [sys.executable, "-c", f"print('''{SUMMARY % self._errors}''')"]


def test_a_load_is_the_last_line_of_what_the_generator_says() -> None:
    assert parse(f"Running 2s test\n{SUMMARY % 0}\n", 0.5) == Load(10, 0, 1, 1, 2, 3, 0.5)


def test_a_load_with_one_error_is_void() -> None:
    assert make_load(Fake(0), "", "/", BY_ID, clients=1, seconds=1).requests == 10
    with pytest.raises(VoidError, match="1 errors in 10 requests"):
        make_load(Fake(1), "", "/", BY_ID, clients=1, seconds=1)


def test_a_service_that_logged_an_error_makes_the_run_void(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text('{"level": "INFO"}\n')
    empty_log(log)
    assert log.read_text() == ""

    log.write_text('{"level": "ERROR"}\n')
    with pytest.raises(VoidError):
        empty_log(log)


def test_a_ratio_compares_what_was_measured_side_by_side() -> None:
    made = make_report(limit=[100, 300, 200], databases=[200, 300, 250])

    ratio = made.ratio("cpu_us", "limit", "databases", BY_ID.name, 8)

    assert ratio == Spread(median=0.8, low=0.5, high=1.0)
    assert ratio.text(2) == "0.80 (0.50 to 1.00)"
    assert made.ratio("cpu_us", "limit", "databases", LIST.name, 8) is None


def test_a_goal_is_met_or_not() -> None:
    made = make_report(limit=[90, 110], databases=[100, 100], typical=[240, 240])

    goals = {goal.expected: goal for goal in judge(made) if goal.layer == "databases"}

    assert goals["GET by id: at least 0.75 of limit, better 0.95"].is_met
    times = goals["GET by id: at least 2.5 times as fast as typical"]
    assert (times.measured, times.is_met) == (2.4, False)


def test_the_report_shows_what_was_measured_and_no_more() -> None:
    made = make_report(limit=[100, 100], databases=[125, 125], typical=[300, 300])

    text = report.full(made)

    assert "| GET by id | 100 | 450 | 125 | 300 | 0.22 | 0.80 | 0.67 | 2.40 |" in text
    assert LIST.name not in text
    assert report.summary(made) in text


def test_the_plot_is_a_picture_of_every_service_but_the_bare_one() -> None:
    drawn = ElementTree.fromstring(plot.draw(make_report(typical=[300, 300])))  # noqa: S314

    texts = [element.text for element in drawn.iter() if element.text and element.text.strip()]
    assert {"limit", "async-session", "databases", "typical", BY_ID.name} < set(texts)
    assert "300 us, 0.67 x limit" in texts


def test_only_what_is_between_the_marks_of_a_page_is_replaced() -> None:
    page = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"

    assert report.embed(page, "new") == page.replace("old", "new")
    assert report.embed("no marks\n", "new") == "no marks\n"


def test_a_page_is_asked_for_by_key_or_by_number() -> None:
    stored = {"cursor": "1abc"}

    assert PAGE_400.target(stored) == f"{PREFIX}/articles?limit=20&after=1abc"
    assert PAGE_400.target(stored, uses_offset=True) == f"{PREFIX}/articles?limit=20&offset=7980"


def test_a_question_in_two_parts_is_one_round_trip(tmp_path: Path) -> None:
    class Shout(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                self.wfile.write(line.upper())

    target, listen = str(tmp_path / "target"), str(tmp_path / "listen")
    with (
        socketserver.UnixStreamServer(target, Shout) as server,
        Proxy(listen, target) as proxy,
        socket.socket(socket.AF_UNIX) as client,
    ):
        for serving in (server, proxy):
            threading.Thread(target=serving.serve_forever, daemon=True).start()
        client.connect(listen)
        for question in ("one\n", "t", "wo\n"):
            client.sendall(question.encode())
            if question.endswith("\n"):
                assert client.recv(100)
        for serving in (server, proxy):
            serving.shutdown()

    assert proxy.round_trips == 2


@pytest.fixture
def generators() -> list[Generator]:
    wrk = shutil.which("wrk")
    return [Package(), *([Wrk(wrk)] if wrk else [])]


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server that gives every new article a slug of the right form, or 400."""
    seen = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_new = body["slug"] not in seen and len(body["slug"]) == 21
            seen.add(body["slug"])
            self.send_response(201 if is_new else 400)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.slow
def test_every_generator_sends_unique_bodies_and_counts_wrong_answers(
    address: str, generators: list[Generator]
) -> None:
    for generator in generators:
        assert make_load(generator, address, "/", CREATE, clients=1, seconds=1, length=2).requests
        with pytest.raises(VoidError, match="errors in"):
            make_load(generator, address, "/", CREATE, clients=1, seconds=1, length=3)


@pytest.mark.slow
def test_a_very_short_run_reports_every_service(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path)]
    Project(TEMPLATE).run(*command, "--repetitions", "1", "--seconds", "1")

    results = json.loads((tmp_path / "results.json").read_text())
    measured = {(run["service"], run["route"]) for run in results["runs"]}
    assert measured == {(service.name, route.name) for service in SERVICES for route in ROUTES[:2]}
    assert all(run["cpu_us"] > 0 for run in results["runs"])
    assert all(
        results["services"][layer]["round_trips"][route.name] <= 1.2
        for layer in LAYERS
        for route in ROUTES[:2]
    )
    assert (tmp_path / "results.svg").exists()


@pytest.mark.slow
def test_types_of_the_compared_services_are_right() -> None:
    project = Project(prepare_project("async-session"))
    files = [str(path) for path in sorted(INSIDE.glob("*.py"))]
    paths = {"MYPYPATH": f"{project.path}:{INSIDE}"}
    project.run(interpreter(project.path), "-m", "mypy", "--strict", *files, variables=paths)
