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
from dev.programs import ANOTHER_SERVER, find_program, keeps_permissions, lend, run_program

START_TIMEOUT = 60.0
STOP_TIMEOUT = 4.0
RENAME_TIMEOUT = 10.0


class Cluster:
    """The caller sees to it that one process at a time initialises, starts or stops it."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DevelopmentError(
                f"Cannot keep data in {folder} ({error.strerror}): {ANOTHER_SERVER}"
            ) from None
        if not os.access(folder, os.W_OK):
            raise DevelopmentError(
                f"{folder} is read-only or belongs to another user: {ANOTHER_SERVER}"
            )
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
        if not keeps_permissions(self._folder):
            raise DevelopmentError(
                f"The file system of {self._folder} does not keep permissions, which PostgreSQL "
                f"requires: {ANOTHER_SERVER}"
            )
        unfinished = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._folder))
        lend(unfinished)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8"]
        # The same order and case rules on every machine, whatever its locale.
        options += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if is_durable else ["--no-sync"]
        said_before = self._log_size()
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
                _rename(unfinished, self._data)
            for leftover in self._folder.glob("initdb-*"):
                shutil.rmtree(leftover, ignore_errors=True)
        if initdb.returncode != 0:
            raise self._failure("initdb failed", said_before)

    def start(self, checkpoint: Callable[[], None], options: list[str]) -> None:
        """Start the server unless it runs, and wait until it is ready or `checkpoint` raises."""
        deadline = time.monotonic() + START_TIMEOUT
        delay = 0.02
        said_before = self._log_size()
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
        raise self._failure("PostgreSQL does not start", said_before)

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
        self._pid_path.unlink(missing_ok=True)
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
        except psutil.AccessDenied as error:
            raise DevelopmentError(
                f"Another user's process {error.pid} may be a server on {self._data}: stop it, or "
                f"remove {self._pid_path} if it is not"
            ) from None
        except (IndexError, ValueError, OSError, psutil.Error):
            pass
        return None

    def _pid_file(self) -> list[str]:
        """Process id, data folder, start time, port, socket folder, host, memory key, state."""
        try:
            # The data folder is in the encoding of whatever started the server; the rest is ASCII.
            lines = self._pid_path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines]

    @property
    def _pid_path(self) -> Path:
        return self._data / "postmaster.pid"

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _failure(self, what: str, said_before: int) -> DevelopmentError:
        """Return an error with the last lines that were logged since the log had that size."""
        said = self._log.read_bytes()[said_before:].decode("utf-8", errors="replace")
        reason = "\n".join(f"    {line}" for line in said.strip().splitlines()[-3:])
        return DevelopmentError(f"{what}, see {self._log}:\n{reason}\nOr {ANOTHER_SERVER}.")


def _rename(folder: Path, target: Path) -> None:
    """Rename a folder; on Windows a virus scanner may still have one of its files open."""
    deadline = time.monotonic() + RENAME_TIMEOUT
    while True:
        try:
            folder.rename(target)
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
