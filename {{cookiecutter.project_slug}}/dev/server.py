"""The service under uvicorn, which restarts it when a file changes."""

import http.client
import os
import time
from collections.abc import Callable
from contextlib import closing, suppress

import psutil

from dev.processes import Module

START_TIMEOUT = 60.0
# Seconds within which uvicorn starts the next process after it has ended one.
RESTART_TIMEOUT = 1.0

# A header of each response, by which a server is known to be this one.
_MARK = "Dev-Server"


class Server(Module):
    """The service on a port, listening or about to."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            *("uvicorn", "--factory", "app.main:create_app"),
            *("--host", host, "--port", str(port), "--no-access-log"),
            *("--reload", "--reload-dir", "app", "--header", f"{_MARK}:{os.getpid()}"),
            # A connection that a browser keeps open must not hold up a reload.
            SHUTDOWN_DELAY="0",
            SHUTDOWN_TIMEOUT="3",
        )
        self._port = port
        # Every address of this machine includes the one to ask.
        self._host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - binds none

    def becomes_ready(self, checkpoint: Callable[[], None]) -> bool:
        """Return whether it answers, as soon as that is known, unless `checkpoint` raises."""
        deadline = time.monotonic() + START_TIMEOUT
        last_seen: float | None = None
        while time.monotonic() < deadline and self.exit_status is None:
            if any(_serves(child) for child in self.children()):
                if self._answers():
                    return True
                last_seen = time.monotonic()
            elif last_seen is not None and time.monotonic() > last_seen + RESTART_TIMEOUT:
                # The module cannot be imported: uvicorn waits for a change of the files.
                return False
            checkpoint()
            time.sleep(0.05)
        return False

    def _answers(self) -> bool:
        # Unlike urllib's, this connection takes no proxy from the environment.
        connection = http.client.HTTPConnection(self._host, self._port, timeout=2)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/livez")
            response = connection.getresponse()
            # Two servers can take one port at the same time, until one of them listens on it.
            is_own = response.getheader(_MARK) == str(os.getpid())
            return is_own and response.status == http.HTTPStatus.OK
        return False


def _serves(child: psutil.Process) -> bool:
    """Return whether it is the process that uvicorn starts again at each change, and runs."""
    with suppress(psutil.Error):
        # Of a zombie, and on Windows of a process that has ended, there is no command line.
        return "--multiprocessing-fork" in child.cmdline()
    return False
