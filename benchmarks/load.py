"""Load generators: several clients, each of which sends its next request after a response."""

import json
import math
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from benchmarks.environments import prepare_package
from benchmarks.routes import Route
from benchmarks.services import InvalidRunError

HERE = Path(__file__).parent
PACKAGE = "geventhttpclient>=2.6,<3"


@dataclass(frozen=True)
class LoadResult:
    """Result of one load. Errors are unexpected responses and failed connections."""

    requests: int
    errors: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    #: CPU time of the load generator.
    cpu_seconds: float = 0.0


class LoadGenerator(Protocol):
    """A program that sends requests and prints a LoadResult as JSON in its last line."""

    name: str

    def command(self, base_url: str, target: str, clients: int, seconds: float) -> list[str]:
        """Return the command line, to which `run_load` appends the request and the checks."""


class Wrk:
    """wrk, https://github.com/wg/wrk, with the script `load.lua`."""

    def __init__(self, program: str) -> None:
        self._program = program
        shown = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
        self.name = " ".join((shown.stdout + shown.stderr).split()[:2])

    def command(self, base_url: str, target: str, clients: int, seconds: float) -> list[str]:
        """Use one thread, and round up to whole seconds, which is all that wrk supports."""
        size = ["-t1", f"-c{clients}", f"-d{math.ceil(seconds)}s"]
        return [self._program, *size, "-s", str(HERE / "load.lua"), base_url + target, "--"]


class GeventHttpClient:
    """geventhttpclient, https://github.com/geventhttpclient/geventhttpclient."""

    def __init__(self) -> None:
        self._python = prepare_package(PACKAGE)
        self.name = PACKAGE.partition(">")[0]

    def command(self, base_url: str, target: str, clients: int, seconds: float) -> list[str]:
        """Run `generator.py`."""
        size = ["--clients", str(clients), "--seconds", str(seconds)]
        return [self._python, str(HERE / "generator.py"), *size, base_url, target]


def find_generator() -> LoadGenerator:
    """Return wrk if it is installed, otherwise geventhttpclient."""
    program = shutil.which("wrk")
    return Wrk(program) if program else GeventHttpClient()


def run_load(
    generator: LoadGenerator,
    base_url: str,
    target: str,
    route: Route,
    *,
    clients: int,
    seconds: float,
    length: int | None = None,
) -> LoadResult:
    """Send requests to a route with several clients for some seconds.

    If `length` is given, checks the status and the body length of every response.
    Raises InvalidRunError if there is an error or no response at all.
    """
    request = [route.method, route.body, f"{uuid4().hex[:12]}-"]
    expected = ["0", "0"] if length is None else [str(route.status), str(length)]
    before = _children_cpu_seconds()
    done = subprocess.run(
        [*generator.command(base_url, target, clients, seconds), *request, *expected],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise InvalidRunError(f"{generator.name} failed:\n{done.stdout}{done.stderr}")
    result = parse_result(done.stdout, _children_cpu_seconds() - before)
    if result.errors or not result.requests:
        raise InvalidRunError(
            f"{base_url}{target}: {result.errors} errors in {result.requests} requests"
        )
    return result


def parse_result(output: str, cpu_seconds: float) -> LoadResult:
    """Parse the JSON in the last line of a load generator's output."""
    return LoadResult(**json.loads(output.splitlines()[-1]), cpu_seconds=cpu_seconds)


def _children_cpu_seconds() -> float:
    used = os.times()
    return used.children_user + used.children_system
