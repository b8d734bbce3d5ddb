"""The measured services and their processes."""

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

from benchmarks.environments import LAYERS, project_environment, venv_python
from benchmarks.routes import LIST, OFFSET

START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0


class InvalidRunError(Exception):
    """The results are not comparable: a service failed or responded differently."""


@dataclass(frozen=True)
class Service:
    """A service; `layer` selects the project in whose virtual environment it runs."""

    name: str
    layer: str
    #: ASGI application factory, as uvicorn takes it.
    application: str
    #: Whether its lists are paginated by offset instead of by cursor.
    uses_offset: bool = False


#: asyncpg without any layer above it: the lower bound of the cost.
RAW_ASYNCPG = Service("raw-asyncpg", LAYERS[0], "raw_asyncpg:create_app")
RAW_ASYNCPG_NO_MIDDLEWARE = Service(
    "raw-asyncpg-no-middleware", LAYERS[0], "raw_asyncpg:create_app_without_middleware"
)
#: The pattern of the FastAPI and SQLAlchemy documentation.
DOCUMENTED_PATTERN = Service(
    "documented-pattern", LAYERS[0], "documented_pattern:create_app", uses_offset=True
)
#: The generated project, with each database layer.
LAYER_SERVICES = [Service(layer, layer, "app.main:create_app") for layer in LAYERS]

SERVICES = (RAW_ASYNCPG_NO_MIDDLEWARE, RAW_ASYNCPG, *LAYER_SERVICES, DOCUMENTED_PATTERN)


@dataclass(frozen=True)
class Postgres:
    """A server with one database per service."""

    #: Database URLs by the name of the service.
    urls: Mapping[str, str]
    #: IDs and a cursor of stored rows, for the paths of requests, and the server's version.
    stored: Mapping[str, str]


@contextmanager
def run_postgres(project: Path, folder: Path) -> Iterator[Postgres]:
    """Run the embedded server of a project, with its data in `folder`, until the block ends."""
    names = [service.name for service in SERVICES]
    # The script stops the server when its standard input is closed.
    script = subprocess.Popen(
        [venv_python(project), "-m", "seeded_postgres", str(folder), str(OFFSET), *names],
        cwd=project,
        env=project_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C interrupts only this process, which then closes the standard input of the script.
        start_new_session=True,
    )
    with script:
        if script.stdout is None or not (line := script.stdout.readline()):
            raise InvalidRunError("PostgreSQL did not start; see the output above.")
        yield Postgres(**json.loads(line))


class ServiceProcess:
    """The running process of a service."""

    def __init__(self, service: Service, process: subprocess.Popen[bytes], port: int) -> None:
        self.service = service
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}"
        self._process = psutil.Process(process.pid)

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process since its start."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        """Return the resident memory of the process."""
        return int(self._process.memory_info().rss)

    def request(
        self, method: str, target: str, body: str = "", *, timeout: float = 10
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request; return the status, the headers and the body of the response."""
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
class StartupCost:
    """Time from the start of the process to its first successful response."""

    seconds: float
    cpu_seconds: float


@contextmanager
def run_service(
    service: Service, project: Path, database_url: str, log: Path
) -> Iterator[tuple[ServiceProcess, StartupCost]]:
    """Run a service in one process with production settings until the block ends."""
    port = _free_port()
    server = ("uvicorn", "--factory", service.application, "--host", "127.0.0.1")
    options = ("--loop", "uvloop", "--http", "httptools", "--no-access-log")
    environment = project_environment(ENVIRONMENT="production", DATABASE_URL=database_url)
    with log.open("ab") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [venv_python(project), "-m", *server, "--port", str(port), *options],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        running = ServiceProcess(service, process, port)
        _wait_until_ready(running, process, log)
        yield running, StartupCost(time.perf_counter() - started, running.cpu_seconds())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check_and_truncate_log(log: Path) -> None:
    """Truncate a service's log. Raises InvalidRunError if it contains an error."""
    text = log.read_text("utf-8", "replace")
    if "Traceback" in text or '"level": "ERROR"' in text:
        raise InvalidRunError(f"{log.stem} logged an error:\n{text[-3000:]}")
    os.truncate(log, 0)


def _wait_until_ready(running: ServiceProcess, process: subprocess.Popen[Any], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            status = running.request("GET", LIST.target({}))[0]
        except OSError:
            time.sleep(0.005)
            continue
        if status == http.HTTPStatus.OK:
            return
    name = running.service.name
    raise InvalidRunError(f"{name} did not start:\n{log.read_text('utf-8')[-3000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
