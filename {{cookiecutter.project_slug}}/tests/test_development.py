"""The embedded PostgreSQL server, and the port of the development server."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dev import DevelopmentError, received_signals
from dev.embedded_server import EmbeddedServer, embedded_postgres
from dev.settings import PORTS, ListenSettings, open_listener
from tests.databases import connected
from tests.postgres import CONNECTIONS_PER_PROCESS, running_server

USE_SERVER = """
import sys
from pathlib import Path
from dev.embedded_server import embedded_postgres

with embedded_postgres(Path(sys.argv[1])) as url:
    print(url)
"""


def current_database(url: str) -> str:
    async def query() -> str:
        async with connected(url) as connection:
            name: str = await connection.fetchval("SELECT current_database()")
            return name

    return asyncio.run(query())


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """Yield an empty folder that `nobody` can reach if root runs the tests.

    Not `tmp_path`: another run of pytest would hide it again, because each run resets the
    permissions of the folder that all of them share.
    """
    with TemporaryDirectory(prefix="postgres-data-") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_server_starts_after_killed_initdb_and_stops_with_its_last_user(
    data_folder: Path,
) -> None:
    incomplete = data_folder / "18" / "incomplete"
    incomplete.mkdir(parents=True)
    (data_folder / "initdb.unfinished").touch()
    with embedded_postgres(data_folder, "new_database") as url:
        assert current_database(url) == "new_database"
        command = [sys.executable, "-c", USE_SERVER, str(data_folder)]
        other = subprocess.run(command, capture_output=True, text=True, check=True)
        assert other.stdout.strip() == url.replace("/new_database?", "/postgres?")
        assert current_database(url) == "new_database"
    assert not incomplete.exists()
    with pytest.raises(OSError, match=r"No such file|refused"):
        current_database(url)


@pytest.mark.slow
def test_server_starts_on_tcp_port_despite_reused_process_id(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dev.embedded_server.IS_WINDOWS", True)
    EmbeddedServer(data_folder).initdb()
    # The file contains the path of the data folder, in the encoding of the file system.
    lines = [str(os.getpid()), "/home/Jos\u00e9/18", "1700000000", "1", "", "", "", "ready"]
    (data_folder / "18" / "postmaster.pid").write_text("\n".join(lines), "latin-1")
    with embedded_postgres(data_folder) as url:
        assert "host=127.0.0.1&port=" in url
        assert current_database(url) == "postgres"


def test_signal_interrupts_initdb_and_incomplete_data_is_not_started(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: str, **__: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        return subprocess.Popen(command, start_new_session=True)

    monkeypatch.setattr("dev.embedded_server.start_binary", hang)
    monkeypatch.setattr("dev.embedded_server.received_signals", [*received_signals, SIGTERM])
    with pytest.raises(DevelopmentError, match="initdb failed"):
        EmbeddedServer(data_folder).initdb()
    # Left by a child process of initdb. Starting a program would fail from here on.
    (data_folder / "18" / "postmaster.pid").touch()
    monkeypatch.setattr("dev.embedded_server.start_binary", None)
    assert EmbeddedServer(data_folder).stop_if_unused()


def test_unusable_data_folder_is_reported_with_advice(data_folder: Path) -> None:
    (data_folder / "file").touch()
    with pytest.raises(DevelopmentError, match=r"file.*: set DATABASE_URL"):
        EmbeddedServer(data_folder / "file" / "postgres")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file permissions of this kind")
def test_drive_without_file_permissions_is_reported_with_advice(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def ignore_mode(folder: Path, **options: Any) -> None:
        mkdir(folder, **options)
        folder.chmod(0o777)

    server = EmbeddedServer(data_folder)
    monkeypatch.setattr(Path, "mkdir", ignore_mode)
    advice = r"is on a drive without file permissions.*: move the project, or set DATABASE_URL"
    with pytest.raises(DevelopmentError, match=advice):
        server.initdb()
    assert server.stop_if_unused()


def test_failed_initdb_is_reported_with_its_reason(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: str, log: Path, **__: object) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            command = [sys.executable, "-c", "print('its reason'); exit(1)"]
            return subprocess.Popen(command, stdout=output)

    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr("dev.embedded_server.start_binary", fail)
    message = r"its reason\nOr set .* TEST_DATABASE_URL"
    with pytest.raises(pytest.exit.Exception, match=message), running_server(data_folder):
        pytest.fail("the server has started")


def test_reserved_port_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    create_server = socket.create_server

    def reserve_first(address: tuple[str, int], **options: Any) -> socket.socket:
        if address[1] == PORTS[0]:
            raise PermissionError(errno.EACCES, "forbidden by its access permissions")
        return create_server(address, **options)

    monkeypatch.setattr(socket, "create_server", reserve_first)
    with open_listener(ListenSettings(host="127.0.0.1", port=None)) as listener:
        assert listener.getsockname()[1] > PORTS[0]
    with pytest.raises(DevelopmentError, match=f"PORT={PORTS[0]} is taken or reserved"):
        open_listener(ListenSettings(host="127.0.0.1", port=PORTS[0]))


@pytest.mark.parametrize("processes", [1, 16])
def test_server_has_connections_for_every_test_process(
    processes: int, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = {}

    @contextmanager
    def embedded(*_: object, **settings: str) -> Iterator[str]:
        started.update(settings)
        yield "embedded"

    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr("tests.postgres.embedded_postgres", embedded)
    with running_server(data_folder, processes):
        assert int(started["max_connections"]) >= processes * CONNECTIONS_PER_PROCESS
