"""Compare the CPU time per request with an earlier revision of the template.

    python -m benchmarks.before --before v0.1.0 --layer databases

Both projects run at the same time and are measured in turns, so the ratios are more reliable than
the times.
"""

import argparse
import http.client
import json
import statistics
import tempfile
from pathlib import Path

from benchmarks.environments import LAYERS, exclusive_cache, prepare_project, project_at
from benchmarks.routes import BY_ID, CREATE, LIST, PREFIX, UNIQUE_VALUE, Route
from benchmarks.search import FIRST_RELEASE, running_projects
from benchmarks.services import InvalidRunError, ServiceProcess

ROWS = 10_000
ROUTES = (BY_ID, LIST, CREATE)


def cpu_per_request(process: ServiceProcess, route: Route, turn: int, requests: int) -> float:
    """Send requests one after the other; return the microseconds of CPU time of each."""
    article = json.loads(process.request("GET", f"{PREFIX}/articles?limit=1")[2])[0]["id"]
    target = route.target({"article": article})
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=10)
    used = -process.cpu_seconds()
    for number in range(requests):
        body = route.body.replace(UNIQUE_VALUE, f"number-{turn}-{number}")
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(route.method, target, body or None, headers)
        response = connection.getresponse()
        if response.status != route.status or not response.read():
            raise InvalidRunError(f"{route.name}: status {response.status}")
    used += process.cpu_seconds()
    connection.close()
    return used / requests * 1_000_000


def compare(processes: list[ServiceProcess], route: Route, turns: int, requests: int) -> None:
    """Print the medians before and after, and the median, lowest and highest ratio of a turn."""
    for process in processes:
        cpu_per_request(process, route, turns, requests // 4)
    times = [
        [cpu_per_request(process, route, turn, requests) for process in processes]
        for turn in range(turns)
    ]
    before, after = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = sorted(new / old for old, new in times)
    ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    print(f"{route.name:12} {before:8.0f} {after:8.0f}   {ratio}", flush=True)


def main() -> None:
    """Parse the command line and compare the layers, one after the other."""
    parser = argparse.ArgumentParser(description="Compare CPU times with an earlier revision.")
    parser.add_argument("--before", default=FIRST_RELEASE, help="earlier revision of the template")
    parser.add_argument("--layer", choices=LAYERS)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    for layer in [options.layer] if options.layer else LAYERS:
        with (
            exclusive_cache(),
            project_at(options.before, layer) as before,
            tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder,
            running_projects([before, prepare_project(layer)], Path(folder), ROWS) as (served, _),
        ):
            print(f"{layer}: microseconds of CPU time per request, ratio after / before")
            for route in ROUTES:
                compare(served, route, options.turns, options.requests)


if __name__ == "__main__":
    main()
