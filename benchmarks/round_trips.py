"""How often a request waits for the database: counted on the wire, not guessed."""

import select
import socket
import socketserver
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from benchmarks.routes import Route
from benchmarks.services import Postgres, Running
from benchmarks.validation import ask

WARM_UP = 40
MEASURED = 100
# What a request leaves for after its answer is over by then, in seconds.
SETTLED = 0.2


class _Connection(socketserver.BaseRequestHandler):
    server: "Proxy"

    def handle(self) -> None:
        client: socket.socket = self.request
        with socket.socket(self.server.address_family) as database:
            database.connect(self.server.target)
            is_waiting = False
            while True:
                for source in select.select([client, database], [], [])[0]:
                    if not (data := source.recv(65536)):
                        return
                    # The parts of a question, or of its answer, are one trip together.
                    self.server.round_trips += source is client and not is_waiting
                    is_waiting = source is client
                    (database if is_waiting else client).sendall(data)


class Proxy(socketserver.ThreadingTCPServer):
    """Stands between a service and PostgreSQL and counts how often the service waits."""

    # Not a UnixStreamServer, without which this module could not be imported on Windows.
    address_family = getattr(socket, "AF_UNIX", socket.AF_INET)
    daemon_threads = True

    def __init__(self, listen: str, target: str) -> None:
        super().__init__(listen, _Connection)  # type: ignore[arg-type] # The path of a socket.
        self.target = target
        self.round_trips = 0


@contextmanager
def counting(database_url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before a database, and the address of the database as seen through it."""
    query = parse_qs(urlsplit(database_url).query)
    name = f".s.PGSQL.{query['port'][0]}"
    # The path of a socket has 103 bytes at most.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        listen = Path(folder) / name
        address = database_url.replace(quote(query["host"][0], safe=""), quote(folder, safe=""))
        with Proxy(str(listen), str(Path(query["host"][0]) / name)) as proxy:
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            yield proxy, address
            proxy.shutdown()


def count_round_trips(
    proxy: Proxy, running: Running, routes: Sequence[Route], database: Postgres
) -> dict[str, float]:
    """Round trips for one request of each route, once its statements are known to the server."""
    counted = {}
    for route in routes:
        for _ in range(WARM_UP):
            ask(running, route, database)
        time.sleep(SETTLED)
        before = proxy.round_trips
        for _ in range(MEASURED):
            ask(running, route, database)
        time.sleep(SETTLED)
        counted[route.name] = (proxy.round_trips - before) / MEASURED
    return counted
