"""What the benchmark makes of what it measures."""

import socket
import socketserver
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import plot, report
from benchmarks.load import Load, make_load, parse
from benchmarks.results_file import Proof, Report, Run, ServiceFigures, Spread
from benchmarks.round_trips import Proxy
from benchmarks.routes import BY_ID, LIST, PAGE_400, PREFIX
from benchmarks.services import SERVICES, VoidError, empty_log
from benchmarks.targets import judge

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
    log.write_text('{"level": "INFO"}\n', "utf-8")
    empty_log(log)
    assert log.read_text("utf-8") == ""

    log.write_text('{"level": "ERROR"}\n', "utf-8")
    with pytest.raises(VoidError):
        empty_log(log)


def test_a_ratio_compares_what_was_measured_side_by_side() -> None:
    made = make_report(limit=[100, 300, 200], databases=[200, 300, 250])

    ratio = made.ratio("cpu_us", "limit", "databases", BY_ID.name, 8)

    assert ratio == Spread(median=0.8, low=0.5, high=1.0)
    assert ratio.text(2) == "0.80 (0.50 to 1.00)"
    assert made.ratio("cpu_us", "limit", "databases", LIST.name, 8) is None


def test_a_goal_is_met_or_not() -> None:
    made = make_report(limit=[80, 100], databases=[100, 100], typical=[240, 240])

    goals = {goal.expected: goal for goal in judge(made) if goal.layer == "databases"}

    assert goals["GET by id: at least 0.75 of limit (accepted)"].is_met
    assert not goals["GET by id: at least 0.95 of limit (goal)"].is_met
    times = goals["GET by id: at least 2.5 times as fast as typical"]
    assert (times.measured, times.is_met) == (2.4, False)


def test_the_report_shows_what_was_measured_and_no_more() -> None:
    times = {"limit": [100.0], "async_session": [200.0], "databases": [125.0], "typical": [300.0]}
    made = make_report(**times)

    text = report.full(made)

    assert "| GET by id | 100 | 200 | 125 | 300 | 0.50 | 0.80 | 1.50 | 2.40 |" in text
    assert LIST.name not in text
    assert report.summary(made) in text


def test_the_plot_is_a_picture_of_every_service_but_the_bare_one() -> None:
    svg = plot.draw(make_report(limit=[450], typical=[300]))
    drawn = ElementTree.fromstring(svg)  # noqa: S314 - nobody else has made it

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


def test_a_question_in_two_parts_is_one_round_trip(socket_folder: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no Unix sockets")

    class Shout(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                self.wfile.write(line.upper())

    target, listen = str(socket_folder / "target"), str(socket_folder / "listen")
    with socketserver.UnixStreamServer(target, Shout) as server, Proxy(listen, target) as proxy:
        for serving in (server, proxy):
            threading.Thread(target=serving.serve_forever, daemon=True).start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(listen)
            for question in ("one\n", "t", "wo\n"):
                client.sendall(question.encode())
                if question.endswith("\n"):
                    assert client.recv(100)
        for serving in (server, proxy):
            serving.shutdown()

    assert proxy.round_trips == 2
