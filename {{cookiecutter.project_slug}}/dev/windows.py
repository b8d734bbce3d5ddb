"""The embedded server on Windows, where it has a port in place of a socket."""

import socket
from contextlib import suppress

import psutil

from dev.cluster import STOP_TIMEOUT, Cluster
from dev.programs import run_program


class WindowsCluster(Cluster):
    """Through `pg_ctl`, which drops an administrator's rights: PostgreSQL refuses to have them."""

    def stop(self) -> None:
        """Stop the server within seconds."""
        for mode in ("fast", "immediate"):
            if process := self._process():
                options = ["stop", f"--mode={mode}", f"--timeout={STOP_TIMEOUT:.0f}"]
                run_program("pg_ctl", *options, data=self._data, log=self._log).wait()
                # The server deletes postmaster.pid before it closes its files, which cannot be
                # removed until then.
                with suppress(psutil.TimeoutExpired):
                    process.wait(STOP_TIMEOUT)

    def address(self) -> str:
        """Return the address as libpq, asyncpg and SQLAlchemy understand it."""
        return f"postgresql://postgres@127.0.0.1:{self._pid_file()[3]}/postgres"

    def _launch(self, options: list[str]) -> None:
        self._pid_path.unlink(missing_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        listen = f"-clisten_addresses=127.0.0.1 -cport={port}"
        run_program(
            *("pg_ctl", "start", "-o", " ".join([listen, *options])),
            data=self._data,
            log=self._log,
        ).wait()
