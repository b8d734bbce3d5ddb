"""The services that are measured, and their processes."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.environments import interpreter, project_environment
from benchmarks.routes import LIST, OFFSET

START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0


class VoidError(Exception):
    """The run says nothing, for not everything in it was as it should be."""


@dataclass(frozen=True)
class Service:
    """A service, and the layer of the project in whose environment it runs."""

    name: str
    layer: str
    application: str

    @property
    def uses_offset(self) -> bool:
        """Whether its pages begin after a number of rows."""
        return self.name == "typical"

    @property
    def database(self) -> str:
        """The name of its database."""
        return self.name.replace(" ", "-")


BARE = Service("bare limit", "async-session", "raw_asyncpg:create_bare_app")
LIMIT = Service("limit", "async-session", "raw_asyncpg:create_app")
TYPICAL = Service("typical", "async-session", "documented_pattern:create_app")
ASYNC_SESSION = Service("async-session", "async-session", "app.main:create_app")
DATABASES = Service("databases", "databases", "app.main:create_app")

SERVICES = (BARE, LIMIT, ASYNC_SESSION, DATABASES, TYPICAL)


@dataclass(frozen=True)
class Postgres:
    """A server with a database for each service, and what the requests need to know of its rows."""

    urls: Mapping[str, str]
    stored: Mapping[str, str]


@contextmanager
def postgres(project: Path, folder: Path) -> Iterator[Postgres]:
    """The embedded server of the project, with its data in `folder`."""
    names = [service.database for service in SERVICES]
    holder = subprocess.Popen(
        [interpreter(project), "-m", "postgres", str(folder), str(OFFSET), *names],
        cwd=project,
        env=project_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for this process, which then closes the standard input of that one.
        start_new_session=True,
    )
    with holder:
        if holder.stdout is None or not (line := holder.stdout.readline()):
            raise VoidError("PostgreSQL did not start, see above.")
        yield Postgres(**json.loads(line))


class Running:
    """The process of a service."""

    def __init__(self, service: Service, process: subprocess.Popen[bytes], port: int) -> None:
        self.service = service
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self._process = psutil.Process(process.pid)

    def cpu_seconds(self) -> float:
        """What the process has used of the processors since its start, by its own account."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        """How much memory it holds."""
        return int(self._process.memory_info().rss)

    def ask(
        self, method: str, target: str, body: str = "", *, timeout: float = 10
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer to one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return response.status, names, response.read()
        finally:
            connection.close()


@dataclass(frozen=True)
class Start:
    """What it takes from the start of the process to the first request that is answered."""

    seconds: float
    cpu_seconds: float


@contextmanager
def serving(
    service: Service, project: Path, database_url: str, log: Path
) -> Iterator[tuple[Running, Start]]:
    """Run a service as in production, one process, until the block ends."""
    port = _free_port()
    server = ("uvicorn", "--factory", service.application, "--host", "127.0.0.1")
    options = ("--loop", "uvloop", "--http", "httptools", "--no-access-log")
    environment = project_environment(ENVIRONMENT="production", DATABASE_URL=database_url)
    with log.open("ab") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [interpreter(project), "-m", *server, "--port", str(port), *options],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        running = Running(service, process, port)
        _wait_until_answered(running, process, log)
        yield running, Start(time.perf_counter() - started, running.cpu_seconds())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def empty_log(log: Path) -> None:
    """Forget what a service has said; raises `VoidError` when it said that something failed."""
    text = log.read_text("utf-8", "replace")
    if "Traceback" in text or '"level": "ERROR"' in text:
        raise VoidError(f"{log.stem} has failed:\n{text[-3000:]}")
    os.truncate(log, 0)


def _wait_until_answered(running: Running, process: subprocess.Popen[Any], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            status = running.ask("GET", LIST.target({}))[0]
        except OSError:
            time.sleep(0.005)
            continue
        if status == http.HTTPStatus.OK:
            return
    raise VoidError(f"{running.service.name} does not start:\n{log.read_text('utf-8')[-3000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
