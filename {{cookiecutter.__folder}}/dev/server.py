"""The service under uvicorn, which restarts it when a file changes."""

import http.client
import os
import time
from collections.abc import Callable
from contextlib import closing, suppress

import psutil

from dev.processes import Module

START_TIMEOUT = 60.0

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
        while time.monotonic() < deadline and self.exit_status is None:
            if any(_has_ended(child) for child in self.children()):
                # uvicorn would wait for a change of the files.
                return False
            if self._answers():
                return True
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


def _has_ended(child: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return child.status() == psutil.STATUS_ZOMBIE
    return False
