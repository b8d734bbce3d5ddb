"""What `make run` does, step by step; leaving a block stops what it started."""

import os
import signal
from collections.abc import Callable

from dev import DevelopmentError
from dev.database import development_database
from dev.listen import ListenSettings, find_port, is_free, load_listen_settings
from dev.processes import Module
from dev.server import Server


def run(checkpoint: Callable[[], None]) -> None:
    """Migrate the database and serve; `checkpoint` is called again and again, to raise."""
    listen = load_listen_settings()
    # A port that cannot be had is reported before anything is started.
    find_port(listen)
    with development_database(checkpoint) as database:
        with Module("alembic", "upgrade", "head") as migrations:
            if migrations.wait(checkpoint) != 0:
                raise DevelopmentError("The migrations failed, see above.")
        _serve(listen, database, checkpoint)


def _serve(listen: ListenSettings, database: str, checkpoint: Callable[[], None]) -> None:
    while True:
        port = find_port(listen)
        with Server(listen.host, port) as server:
            if server.becomes_ready(checkpoint):
                host = f"[{listen.host}]" if ":" in listen.host else listen.host
                print(f"Ready: http://{host}:{port}")
                print(f"Database: {database}", flush=True)
                if os.name == "nt":
                    # There a reload sends Ctrl-C to all of the console: uvicorn tells them apart.
                    signal.signal(signal.SIGINT, lambda *_: None)
                if server.wait(checkpoint) != 0:
                    raise DevelopmentError("The server failed, see above.")
                return
        if listen.port or is_free(listen.host, port):
            raise DevelopmentError("The service did not start, see above.")
        # Another program took the port meanwhile: the next one.
