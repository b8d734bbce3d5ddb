"""The benchmark's checks, statistics and report, tested without a service."""

import socket
import socketserver
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import LAYERS, needs_two_layers

from benchmarks import plot, report
from benchmarks.load import LoadResult, parse_result, run_load
from benchmarks.results_file import GeneratorHeadroom, Report, Run, ServiceMetrics, Spread
from benchmarks.round_trips import Proxy
from benchmarks.routes import BY_ID, LIST, PAGE_400, PREFIX
from benchmarks.services import SERVICES, InvalidRunError, check_and_truncate_log
from benchmarks.targets import evaluate

OUTPUT = '{"requests": 10, "errors": %d, "seconds": 1, "p50_ms": 1, "p95_ms": 2, "p99_ms": 3}'


def make_report(**cpu_us: list[float]) -> Report:
    """Return a report of GET by id runs with these CPU times, by service and repetition."""
    names = [service.name for service in SERVICES]
    results = Report("2026-01-31", "a machine", {"Python": "3.13"}, "wrk", 2, 2)
    results.services = {name: ServiceMetrics([1.0], [0.5], 80.0, {BY_ID.name: 1}) for name in names}
    results.headroom = [GeneratorHeadroom(8, 9000, 20)]
    results.runs = [
        Run(name, BY_ID.name, 8, turn, used, 0.9, 0.1, 1e6 / used, 1, 2, 3)
        for name in names
        for turn, used in enumerate(cpu_us.get(name.replace("-", "_"), [400, 500]))
    ]
    return results


class FakeGenerator:
    """A load generator that reports a given number of errors."""

    name = "fake"

    def __init__(self, errors: int) -> None:
        self._errors = errors

    def command(self, *_: object) -> list[str]:
        return [sys.executable, "-c", f"print('''{OUTPUT % self._errors}''')"]


def test_load_result_is_parsed_from_the_last_line() -> None:
    result = parse_result(f"Running 2s test\n{OUTPUT % 0}\n", 0.5)

    assert result == LoadResult(10, 0, 1, 1, 2, 3, 0.5)


def test_load_with_one_error_is_invalid() -> None:
    assert run_load(FakeGenerator(0), "", "/", BY_ID, clients=1, seconds=1).requests == 10
    with pytest.raises(InvalidRunError, match="1 errors in 10 requests"):
        run_load(FakeGenerator(1), "", "/", BY_ID, clients=1, seconds=1)


def test_logged_error_makes_the_run_invalid(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_text('{"level": "INFO"}\n', "utf-8")
    check_and_truncate_log(log)
    assert log.read_text("utf-8") == ""

    log.write_text('{"level": "ERROR"}\n', "utf-8")
    with pytest.raises(InvalidRunError):
        check_and_truncate_log(log)


def test_ratio_is_computed_per_repetition() -> None:
    results = make_report(raw_asyncpg=[100, 300, 200], documented_pattern=[200, 300, 250])

    ratio = results.ratio("cpu_us", "raw-asyncpg", "documented-pattern", BY_ID.name, 8)

    assert ratio == Spread(median=0.8, low=0.5, high=1.0)
    assert ratio.text(2) == "0.80 (0.50 to 1.00)"
    assert results.ratio("cpu_us", "raw-asyncpg", "documented-pattern", LIST.name, 8) is None


@needs_two_layers
def test_targets_are_compared_with_measurements() -> None:
    results = make_report(
        raw_asyncpg=[80, 100], databases=[100, 100], documented_pattern=[240, 240]
    )

    targets = {
        target.description: target for target in evaluate(results) if target.layer == "databases"
    }

    assert targets["GET by id: at least 0.75 x the speed of raw-asyncpg (minimum)"].is_met
    assert not targets["GET by id: at least 0.95 x the speed of raw-asyncpg (target)"].is_met
    speedup = targets["GET by id: at least 2.5 x the speed of documented-pattern"]
    assert (speedup.measured, speedup.is_met) == (2.4, False)


@needs_two_layers
def test_report_contains_only_measured_routes() -> None:
    results = make_report(
        raw_asyncpg=[100.0],
        async_session=[200.0],
        databases=[125.0],
        documented_pattern=[300.0],
    )

    text = report.render_full(results)

    times = {"async-session": (200, 0.5, 1.5), "databases": (125, 0.8, 2.4)}
    used, slower, faster = zip(*(times[layer] for layer in LAYERS), strict=True)
    assert f"| GET by id | 100 | {used[0]} | {used[1]} | 300 |\n" in text
    ratios = " | ".join(f"{ratio:.2f}" for ratio in (*slower, *faster))
    assert f"| GET by id | {ratios} |" in text
    assert LIST.name not in text
    assert report.render_summary(results) in text


def test_plot_shows_every_service_with_middleware() -> None:
    svg = plot.draw(make_report(raw_asyncpg=[450], documented_pattern=[300]))
    drawn = ElementTree.fromstring(svg)  # noqa: S314 - trusted: drawn in the line above

    texts = [element.text for element in drawn.iter() if element.text and element.text.strip()]
    services = {"raw-asyncpg", *LAYERS, "documented-pattern"}
    assert services | {BY_ID.name} < set(texts)
    assert "raw-asyncpg-no-middleware" not in texts
    assert "300 us, 0.67 x raw-asyncpg" in texts


def test_only_text_between_markers_is_replaced() -> None:
    page = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"

    assert report.replace_between_markers(page, "new") == page.replace("old", "new")
    assert report.replace_between_markers("no markers\n", "new") == "no markers\n"


def test_page_is_requested_by_cursor_or_by_offset() -> None:
    stored = {"cursor": "1abc"}

    assert PAGE_400.target(stored) == f"{PREFIX}/articles?limit=20&after=1abc"
    assert PAGE_400.target(stored, uses_offset=True) == f"{PREFIX}/articles?limit=20&offset=7980"


def test_request_sent_in_two_chunks_is_one_round_trip(socket_folder: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no Unix sockets")

    class UpperCase(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                self.wfile.write(line.upper())

    target, listen = str(socket_folder / "target"), str(socket_folder / "listen")
    with socketserver.UnixStreamServer(target, UpperCase) as server, Proxy(listen, target) as proxy:
        for serving in (server, proxy):
            threading.Thread(target=serving.serve_forever, daemon=True).start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(listen)
            for chunk in ("one\n", "t", "wo\n"):
                client.sendall(chunk.encode())
                if chunk.endswith("\n"):
                    assert client.recv(100)
        for serving in (server, proxy):
            serving.shutdown()

    assert proxy.round_trips == 2
