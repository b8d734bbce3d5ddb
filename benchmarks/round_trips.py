"""Count database round trips per request, in a proxy between service and database."""

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
from benchmarks.services import Postgres, ServiceProcess
from benchmarks.validation import request

WARM_UP = 40
MEASURED = 100
# Seconds to wait for the work that a service does after its response.
SETTLE_TIME = 0.2


class _ProxyConnection(socketserver.BaseRequestHandler):
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
                    # Consecutive chunks in the same direction belong to one round trip.
                    self.server.round_trips += source is client and not is_waiting
                    is_waiting = source is client
                    (database if is_waiting else client).sendall(data)


class Proxy(socketserver.ThreadingTCPServer):
    """Proxy between a service and PostgreSQL that counts round trips."""

    # Not a UnixStreamServer: that class is missing on Windows, where this module is imported too.
    address_family = getattr(socket, "AF_UNIX", socket.AF_INET)
    daemon_threads = True

    def __init__(self, listen: str, target: str) -> None:
        super().__init__(listen, _ProxyConnection)  # type: ignore[arg-type] # A Unix socket path.
        self.target = target
        self.round_trips = 0


@contextmanager
def counting_proxy(database_url: str) -> Iterator[tuple[Proxy, str]]:
    """Run a proxy, and yield it with the database URL that connects through it."""
    query = parse_qs(urlsplit(database_url).query)
    name = f".s.PGSQL.{query['port'][0]}"
    # In /tmp, because a Unix socket path has at most 103 bytes.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        listen = Path(folder) / name
        url = database_url.replace(quote(query["host"][0], safe=""), quote(folder, safe=""))
        with Proxy(str(listen), str(Path(query["host"][0]) / name)) as proxy:
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            yield proxy, url
            proxy.shutdown()


def count_round_trips(
    proxy: Proxy, process: ServiceProcess, routes: Sequence[Route], database: Postgres
) -> dict[str, float]:
    """Return the round trips per request, by route, after its statements have been prepared."""
    counts = {}
    for route in routes:
        for _ in range(WARM_UP):
            request(process, route, database)
        time.sleep(SETTLE_TIME)
        before = proxy.round_trips
        for _ in range(MEASURED):
            request(process, route, database)
        time.sleep(SETTLE_TIME)
        counts[route.name] = (proxy.round_trips - before) / MEASURED
    return counts
