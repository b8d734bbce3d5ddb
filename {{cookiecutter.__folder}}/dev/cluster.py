"""One folder of PostgreSQL data and the server on it, whatever the last run left behind."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psutil

from dev import DevelopmentError
from dev.programs import find_program, lend, run_program

START_TIMEOUT = 60.0
STOP_TIMEOUT = 4.0


class Cluster:
    """The caller sees to it that one process at a time initialises, starts or stops it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise DevelopmentError(f"{folder} belongs to another user")
        self._folder = folder
        self._data = folder / "18"
        self._log = folder / "server.log"
        self._child: subprocess.Popen[bytes] | None = None

    def initialise(self, checkpoint: Callable[[], None], *, is_durable: bool) -> None:
        """Create the data under another name, so that a killed run leaves no half of it."""
        if self._data.exists():
            return
        if set('"$`') & set(str(find_program("initdb"))):
            # initdb starts the server by a line for the shell.
            raise DevelopmentError('initdb cannot run in a folder whose path has one of " $ `')
        unfinished = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._folder))
        lend(unfinished)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8"]
        # The same order and case rules on every machine, whatever its locale.
        options += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if is_durable else ["--no-sync"]
        initdb = run_program("initdb", *options, data=unfinished, log=self._log)
        try:
            while initdb.poll() is None:
                checkpoint()
                time.sleep(0.02)
        finally:
            initdb.terminate()
            with suppress(subprocess.TimeoutExpired):
                initdb.wait(STOP_TIMEOUT)
            if initdb.returncode == 0:
                unfinished.rename(self._data)
            for leftover in self._folder.glob("initdb-*"):
                shutil.rmtree(leftover, ignore_errors=True)
        if initdb.returncode != 0:
            raise DevelopmentError(f"initdb failed, see {self._log}")

    def start(self, checkpoint: Callable[[], None], options: list[str]) -> None:
        """Start the server unless it runs, and wait until it is ready or `checkpoint` raises."""
        deadline = time.monotonic() + START_TIMEOUT
        delay = 0.02
        while delay < 2 and time.monotonic() < deadline:
            if self._process() is None:
                # Again and again for some seconds: the last processes of a killed server may
                # still hold its memory.
                self._launch(options)
                delay *= 1.25
            elif self._pid_file()[7:] == ["ready"]:
                return
            checkpoint()
            time.sleep(delay)
        raise DevelopmentError(f"PostgreSQL does not start, see {self._log}")

    def stop(self) -> None:
        """Stop the server within seconds: politely to its clients, then not, then by force."""
        for name in ("SIGINT", "SIGQUIT", "SIGKILL"):
            process = self._process()
            if process is None:
                break
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.Signals[name])
            deadline = time.monotonic() + STOP_TIMEOUT
            while self._process() and time.monotonic() < deadline:
                time.sleep(0.02)
        if self._data.exists():
            shutil.rmtree(self._socket_folder(), ignore_errors=True)

    def address(self) -> str:
        """Return the address as libpq, asyncpg and SQLAlchemy understand it."""
        port, sockets = self._pid_file()[3:5]
        # With its port, for a PGPORT in the environment would be taken otherwise.
        return f"postgresql://postgres@/postgres?host={quote(sockets, safe='')}&port={port}"

    def _launch(self, options: list[str]) -> None:
        # Its process id may be another program's by now, and would keep the server from starting.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        sockets = self._socket_folder()
        shutil.rmtree(sockets, ignore_errors=True)
        sockets.mkdir(mode=0o700)
        lend(sockets, like=self._data)
        listen = ["-clisten_addresses=", f"-cunix_socket_directories={sockets}", "-cport=5432"]
        self._child = run_program("postgres", *listen, *options, data=self._data, log=self._log)

    def _socket_folder(self) -> Path:
        """Return a folder of this very data, and of none that was at its place before."""
        created = (self._data / "PG_VERSION").stat().st_mtime_ns
        name = sha256(f"{self._data} {created}".encode()).hexdigest()[:12]
        # The path of a socket has 103 bytes at most, so neither the project's nor TMPDIR will do.
        return Path("/tmp", f"postgres-{name}")  # noqa: S108 - only its owner may enter it

    def _process(self) -> psutil.Process | None:
        """Return the running server; its process id alone may be another program's by now."""
        if self._child is not None and self._child.poll() is None:
            return psutil.Process(self._child.pid)
        try:
            process = psutil.Process(int(self._pid_file()[0]))
            if process.name().startswith("postgres") and self._data.samefile(process.cwd()):
                return process
        except (IndexError, ValueError, OSError, psutil.Error):
            pass
        return None

    def _pid_file(self) -> list[str]:
        """Process id, data folder, start time, port, socket folder, host, memory key, state."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines]
