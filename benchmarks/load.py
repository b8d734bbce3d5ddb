"""Load on a route: many clients, each of which asks again as soon as it is answered."""

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
from benchmarks.services import VoidError

HERE = Path(__file__).parent
PACKAGE = "geventhttpclient>=2.6,<3"


@dataclass(frozen=True)
class Load:
    """How a load went; an error is an answer that is not the right one, or none at all."""

    requests: int
    errors: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    #: Of the load generator.
    cpu_seconds: float = 0.0


class Generator(Protocol):
    """A program that makes load: the name people know it by, and its command line."""

    name: str

    def command(self, address: str, target: str, clients: int, seconds: float) -> list[str]:
        """The command; what is sent, and whether answers are checked, is added to it."""


class Wrk:
    """https://github.com/wg/wrk"""

    def __init__(self, program: str) -> None:
        self._program = program
        shown = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
        self.name = " ".join((shown.stdout + shown.stderr).split()[:2])

    def command(self, address: str, target: str, clients: int, seconds: float) -> list[str]:
        """One thread does; wrk counts in whole seconds."""
        size = ["-t1", f"-c{clients}", f"-d{math.ceil(seconds)}s"]
        return [self._program, *size, "-s", str(HERE / "load.lua"), address + target, "--"]


class Package:
    """https://github.com/geventhttpclient/geventhttpclient"""

    def __init__(self) -> None:
        self._python = prepare_package(PACKAGE)
        self.name = PACKAGE.partition(">")[0]

    def command(self, address: str, target: str, clients: int, seconds: float) -> list[str]:
        """The same as of wrk."""
        size = ["--clients", str(clients), "--seconds", str(seconds)]
        return [self._python, str(HERE / "generator.py"), *size, address, target]


def find_generator() -> Generator:
    """Debian's wrk if it is there, else a package that is."""
    program = shutil.which("wrk")
    return Wrk(program) if program else Package()


def make_load(
    generator: Generator,
    address: str,
    target: str,
    route: Route,
    *,
    clients: int,
    seconds: float,
    length: int | None = None,
) -> Load:
    """Make a load, and check all of its answers if their length is given.

    Raises `VoidError` when any of them is wrong.
    """
    sent = [route.method, route.body, f"{uuid4().hex[:12]}-"]
    right = ["0", "0"] if length is None else [str(route.status), str(length)]
    before = _children_cpu_seconds()
    done = subprocess.run(
        [*generator.command(address, target, clients, seconds), *sent, *right],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise VoidError(f"{generator.name} has failed:\n{done.stdout}{done.stderr}")
    load = parse(done.stdout, _children_cpu_seconds() - before)
    if load.errors or not load.requests:
        raise VoidError(f"{address}{target}: {load.errors} errors in {load.requests} requests")
    return load


def parse(output: str, cpu_seconds: float) -> Load:
    """The load that a generator reports in the last line of its output."""
    return Load(**json.loads(output.splitlines()[-1]), cpu_seconds=cpu_seconds)


def _children_cpu_seconds() -> float:
    used = os.times()
    return used.children_user + used.children_system
