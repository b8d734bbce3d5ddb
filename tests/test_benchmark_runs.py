"""Short runs of the benchmark and its load generators."""

import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from pathlib import Path

import pytest
from conftest import LAYERS, TEMPLATE, Project

from benchmarks.environments import IN_VENV, exclusive_cache, prepare_project, venv_python
from benchmarks.load import GeventHttpClient, LoadGenerator, Wrk, run_load
from benchmarks.routes import CREATE, QUICK_ROUTES
from benchmarks.services import SERVICES, InvalidRunError

pytestmark = pytest.mark.slow


@pytest.fixture
def generators() -> list[LoadGenerator]:
    wrk = shutil.which("wrk")
    with exclusive_cache():
        return [GeventHttpClient(), *([Wrk(wrk)] if wrk else [])]


@pytest.fixture
def base_url() -> Iterator[str]:
    """Run a server that responds with 201 to a new slug of 21 characters, otherwise with 400."""
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


def test_generators_send_unique_bodies_and_count_wrong_responses(
    base_url: str, generators: list[LoadGenerator]
) -> None:
    for generator in generators:
        assert run_load(generator, base_url, "/", CREATE, clients=1, seconds=1, length=2).requests
        with pytest.raises(InvalidRunError, match="errors in"):
            run_load(generator, base_url, "/", CREATE, clients=1, seconds=1, length=3)


@pytest.mark.benchmark
def test_short_run_reports_every_service(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path)]
    Project(TEMPLATE).run(*command, "--repetitions", "1", "--seconds", "1")

    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    names = {service.name for service in SERVICES}
    routes = {route.name for route in QUICK_ROUTES}
    assert {(run["service"], run["route"]) for run in results["runs"]} == set(
        product(names, routes)
    )
    assert all(run["cpu_us"] > 0 for run in results["runs"])
    for layer in LAYERS:
        round_trips = results["services"][layer]["round_trips"]
        assert round_trips.keys() == routes
        assert max(round_trips.values()) <= 1.2
    assert (tmp_path / "results.svg").exists()


@pytest.mark.benchmark
@pytest.mark.parametrize("layer", LAYERS)
def test_pages_of_every_sort_and_filter_are_timed(layer: str) -> None:
    command = [sys.executable, "-m", "benchmarks.pages", "--rows", "2000", "--layer", layer]
    output = Project(TEMPLATE).run(*command).stdout

    pattern = re.compile(r"^sort=(\S+)((?: created_\w+)*)(?: +[\d.]+){3}$", re.MULTILINE)
    lists = pattern.findall(output)
    assert len(set(lists)) == len(lists) == 16


@pytest.mark.benchmark
@pytest.mark.parametrize("layer", LAYERS)
def test_jobs_are_measured(layer: str) -> None:
    options = ["--turns", "2", "--jobs", "600", "--idle-seconds", "10", "--layer", layer]
    output = Project(TEMPLATE).run(sys.executable, "-m", "benchmarks.jobs", *options).stdout

    assert len(re.findall(r"us: write \d+, with a job \d+, ratio \d", output)) == 2
    found = re.search(r"round trips: write ([\d.]+), with a job ([\d.]+)", output)
    assert found
    assert float(found[2]) <= float(found[1]) + 1
    assert re.search(r"^[1-9]\d* jobs per second, \d+ us CPU each$", output, re.MULTILINE)
    assert re.search(r"^\d+ queries per minute of an idle worker$", output, re.MULTILINE)


@pytest.mark.benchmark
def test_requests_are_compared_with_an_earlier_revision() -> None:
    options = ["--before", "HEAD", "--layer", LAYERS[0], "--turns", "1", "--requests", "200"]
    output = Project(TEMPLATE).run(sys.executable, "-m", "benchmarks.before", *options).stdout

    routes = re.findall(r"^(.+?) +\d+ +\d+   [\d.]+ \([\d.]+ to [\d.]+\)$", output, re.MULTILINE)
    assert routes == ["GET by id", "list of 20", "POST"]


def test_scripts_in_venv_pass_mypy() -> None:
    with exclusive_cache():
        project = Project(prepare_project(LAYERS[0]))
    modules = [f"--module={path.stem}" for path in sorted(IN_VENV.glob("*.py"))]
    paths = {"MYPYPATH": f"{project.path}:{IN_VENV}"}
    project.run(venv_python(project.path), "-m", "mypy", "--strict", *modules, variables=paths)
