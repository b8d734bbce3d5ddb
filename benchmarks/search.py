"""Compare the latency of searches over many rows with an earlier revision of the template.

    python -m benchmarks.search --before v0.1.0 --rows 1000000 --layer databases

Both projects are measured in turns on one server, so the ratios are more reliable than the times.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks.environments import (
    LAYERS,
    exclusive_cache,
    prepare_project,
    project_at,
    project_environment,
    venv_python,
)
from benchmarks.routes import CREATE
from benchmarks.services import InvalidRunError, Service, ServiceProcess, run_service

#: The commit of version 0.1.0.
FIRST_RELEASE = "aa34f59"
ARTICLES = "/api/v1/articles"
CLIENTS = 15
TURNS = 3
#: Search terms, by the number of rows that match.
TERMS = {
    "no row": "nowhere",
    "100 rows": "hundred",
    "1 %": "percent",
    "10 %": "tenth",
    "half": "half",
    "all": "everywhere",
    "the oldest tenth": "oldest",
    "all, excluded": "-everywhere",
}


@contextmanager
def filled_databases(
    projects: list[Path], folder: Path, rows: int
) -> Iterator[list[dict[str, Any]]]:
    """Run a server with a filled database per project, and yield their URLs and fill times."""
    # The script stops the server when its standard input is closed.
    script = subprocess.Popen(
        [venv_python(projects[-1]), "-m", "many_rows", folder, str(rows), *projects],
        cwd=projects[-1],
        env=project_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with script:
        if script.stdout is None or not (line := script.stdout.readline()):
            raise InvalidRunError("PostgreSQL did not start; see the output above.")
        yield json.loads(line)


def timed_request(
    method: str, target: str, process: ServiceProcess, body: str = ""
) -> tuple[float, int]:
    """Send a request and return its latency in milliseconds and its status."""
    start = time.perf_counter()
    status, _, _ = process.request(method, target, body, timeout=60)
    return (time.perf_counter() - start) * 1000, status


def create_article(process: ServiceProcess) -> tuple[float, int]:
    """Create an article of two thousand words and return the latency and the status."""
    words = " ".join(f"w{time.time_ns() * n % 20_000}" for n in range(2000))
    new = json.loads(CREATE.body) | {"slug": f"new-{time.time_ns()}", "text": words}
    return timed_request("POST", ARTICLES, process, json.dumps(new))


def read_during_searches(process: ServiceProcess) -> tuple[float, int]:
    """Return the latency and status of the slowest of five reads while 15 clients search."""
    article = json.loads(process.request("GET", f"{ARTICLES}?limit=1")[2])[0]["id"]
    is_over = Event()

    def search(_: int) -> None:
        while not is_over.is_set():
            timed_request("GET", f"{ARTICLES}?q=oldest", process)

    with ThreadPoolExecutor(CLIENTS) as clients:
        searches = clients.map(search, range(CLIENTS))
        time.sleep(1)
        reads = [timed_request("GET", f"{ARTICLES}/{article}", process) for _ in range(5)]
        is_over.set()
        list(searches)
    return max(reads)


def compare(
    processes: list[ServiceProcess],
    name: str,
    measure: Callable[[ServiceProcess], tuple[float, int]],
) -> None:
    """Print the median latencies before and after, their ratio, and the statuses."""
    turns = [[measure(process) for process in processes] for _ in range(TURNS)]
    columns = list(zip(*turns, strict=True))
    before, after = (statistics.median(time for time, _ in column) for column in columns)
    statuses = " ".join(f"{column[-1][1]}" for column in columns)
    print(f"{name:28} {before:10.1f} {after:10.1f} {before / after:10.1f}   {statuses}", flush=True)


@contextmanager
def running_projects(
    projects: list[Path], folder: Path, rows: int
) -> Iterator[tuple[list[ServiceProcess], list[dict[str, Any]]]]:
    """Fill a database for each project and serve it; yield the processes and the databases."""
    with filled_databases(projects, folder / "data", rows) as databases, ExitStack() as stack:
        processes = []
        for number, (project, database) in enumerate(zip(projects, databases, strict=True)):
            service = Service(f"service-{number}", "", "app.main:create_app")
            running = run_service(service, project, database["url"], folder / f"{number}.log")
            processes.append(stack.enter_context(running)[0])
        yield processes, databases


def measure_projects(projects: list[Path], folder: Path, rows: int) -> None:
    """Fill a database for each project, serve both, and compare them."""
    with running_projects(projects, folder, rows) as (processes, databases):
        print(f"{rows} rows; milliseconds         {'before':>8} {'after':>10} {'ratio':>10}")
        costs = [database["seconds"] / rows * 1000 for database in databases]
        print(f"{'INSERT, per row':28} {costs[0]:10.3f} {costs[1]:10.3f}", end="")
        print(f" {costs[0] / costs[1]:10.1f}")
        # Reads come first: after five executions, a prepared statement may get a generic plan.
        compare(processes, f"read during {CLIENTS} searches", read_during_searches)
        for name, term in TERMS.items():
            target = f"{ARTICLES}?q={term}"
            compare(processes, f"search: {name}", partial(timed_request, "GET", target))
        compare(processes, "POST of 2,000 words", create_article)


def main() -> None:
    """Parse the command line and run the comparison."""
    parser = argparse.ArgumentParser(description="Compare searches with an earlier revision.")
    parser.add_argument(
        "--before",
        default=FIRST_RELEASE,
        help="revision of the template to compare with",
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--layer", choices=LAYERS, default=LAYERS[0])
    options = parser.parse_args()
    with (
        exclusive_cache(),
        project_at(options.before, options.layer) as before,
        tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder,
    ):
        measure_projects([before, prepare_project(options.layer)], Path(folder), options.rows)


if __name__ == "__main__":
    main()
