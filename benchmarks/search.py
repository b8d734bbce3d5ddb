"""How long a search takes among many rows, before and after a change of the template.

    python -m benchmarks.search --before v0.1.0 --rows 1000000 --layer databases

Both projects are measured in one run, in turns, on one server: read the ratios.
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
    interpreter,
    prepare_project,
    project_at,
    project_environment,
)
from benchmarks.services import Running, Service, VoidError, serving

ARTICLES = "/api/v1/articles"
CLIENTS = 15
TURNS = 3
#: What is searched for, by how many rows match it.
WORDS = {
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
def filled(projects: list[Path], folder: Path, rows: int) -> Iterator[list[dict[str, Any]]]:
    """Run a server with a database for each project, and yield where they are."""
    holder = subprocess.Popen(
        [interpreter(projects[-1]), "-m", "many_rows", folder, str(rows), *projects],
        cwd=projects[-1],
        env=project_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with holder:
        if holder.stdout is None or not (line := holder.stdout.readline()):
            raise VoidError("PostgreSQL did not start, see above.")
        yield json.loads(line)


def timed(method: str, target: str, running: Running, body: str = "") -> tuple[float, int]:
    """Return the milliseconds until the response, and its status."""
    start = time.perf_counter()
    status, _, _ = running.ask(method, target, body, timeout=60)
    return (time.perf_counter() - start) * 1000, status


def create(running: Running) -> tuple[float, int]:
    """Add an article of two thousand words."""
    words = " ".join(f"w{time.time_ns() * n % 20_000}" for n in range(2000))
    new = {"title": "New", "slug": f"new-{time.time_ns()}", "text": words}
    return timed("POST", ARTICLES, running, json.dumps(new))


def read_beside_searches(running: Running) -> tuple[float, int]:
    """Return the slowest of five reads of an article while fifteen clients search."""
    article = json.loads(running.ask("GET", f"{ARTICLES}?limit=1")[2])[0]["id"]
    is_over = Event()

    def search_on(_: int) -> None:
        while not is_over.is_set():
            timed("GET", f"{ARTICLES}?q=oldest", running)

    with ThreadPoolExecutor(CLIENTS) as clients:
        searches = clients.map(search_on, range(CLIENTS))
        time.sleep(1)
        reads = [timed("GET", f"{ARTICLES}/{article}", running) for _ in range(5)]
        is_over.set()
        list(searches)
    return max(reads)


def compare(services: list[Running], name: str, do: Callable[[Running], tuple[float, int]]) -> None:
    """Print the medians of before and after, their ratio, and the statuses."""
    turns = [[do(running) for running in services] for _ in range(TURNS)]
    columns = list(zip(*turns, strict=True))
    before, after = (statistics.median(time for time, _ in column) for column in columns)
    statuses = " ".join(f"{column[-1][1]}" for column in columns)
    print(f"{name:28} {before:10.1f} {after:10.1f} {before / after:10.1f}   {statuses}", flush=True)


def measure(projects: list[Path], folder: Path, rows: int) -> None:
    """Fill a database for each project, serve both, and compare them."""
    with filled(projects, folder / "data", rows) as databases, ExitStack() as stack:
        services = []
        for number, (project, database) in enumerate(zip(projects, databases, strict=True)):
            service = Service(f"service-{number}", "", "app.main:create_app")
            serve = serving(service, project, database["url"], folder / f"{number}.log")
            services.append(stack.enter_context(serve)[0])
        print(f"{rows} rows; milliseconds         {'before':>8} {'after':>10} {'ratio':>10}")
        costs = [database["seconds"] / rows * 1000 for database in databases]
        print(f"{'INSERT, for each row of all':28} {costs[0]:10.3f} {costs[1]:10.3f}", end="")
        print(f" {costs[0] / costs[1]:10.1f}")
        # First, for a statement that a connection has run five times may get another plan.
        compare(services, f"read beside {CLIENTS} searching", read_beside_searches)
        for name, word in WORDS.items():
            target = f"{ARTICLES}?q={word}"
            compare(services, f"search: {name}", partial(timed, "GET", target))
        compare(services, "POST of 2,000 words", create)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Compare the search with an earlier one.")
    parser.add_argument("--before", default="aa34f59", help="a revision of the template")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--layer", choices=LAYERS, default=LAYERS[0])
    options = parser.parse_args()
    with (
        exclusive_cache(),
        project_at(options.before, options.layer) as before,
        tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder,
    ):
        measure([before, prepare_project(options.layer)], Path(folder), options.rows)


if __name__ == "__main__":
    main()
