"""The embedded server and the development server, on machines unlike this one."""

import errno
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from dev import DevelopmentError
from dev.cluster import Cluster, _rename
from dev.database import data_folder
from dev.listen import PORTS, ListenSettings, find_port
from tests.postgres import CONNECTIONS, running_server

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no permissions of this kind")


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """An embedded server with a process id, but without data."""
    data = tmp_path / "18"
    data.mkdir()
    lines = [str(os.getpid()), "/home/Jos\u00e9/18", "1700000000", "5432", "/tmp/sockets", "", ""]  # noqa: S108
    (data / "postmaster.pid").write_text("\n".join([*lines, "ready", ""]), "latin-1")
    return Cluster(tmp_path)


def test_the_process_id_file_is_read_in_any_encoding(cluster: Cluster) -> None:
    assert "port=5432" in cluster.address()


def test_a_process_that_cannot_be_inspected_may_be_the_server(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "name", lambda _: "postgres")
    monkeypatch.setattr(psutil.Process, "cwd", denied)
    with pytest.raises(DevelopmentError, match=f"process {os.getpid()} may be a server"):
        cluster.start(lambda: None, [])


def test_a_folder_that_is_in_use_is_renamed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, calls = Path.rename, list[Path]()

    def fails_twice(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) <= 2:
            raise PermissionError(errno.EACCES, "Access is denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails_twice)
    source, target = tmp_path / "initdb-1", tmp_path / "18"
    source.mkdir()
    _rename(source, target)
    assert target.exists()


def _refused(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def _ignored(*_: object, **__: object) -> None:
    pass


@posix
@pytest.mark.parametrize("chmod", [_refused, _ignored], ids=["exFAT", "WSL"])
def test_data_is_kept_outside_a_file_system_without_permissions(
    chmod: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def mkdtemp(*, prefix: str, dir: Path) -> str:  # noqa: A002 - its name there
        folder = dir / f"{prefix}1"
        folder.mkdir()
        return str(folder)

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    monkeypatch.setattr(os, "chmod", chmod)
    project = tmp_path / "project"
    folder = data_folder(project)
    assert folder.is_relative_to(tmp_path / "home")
    assert str(folder) in capsys.readouterr().out
    assert [*(project / ".data" / "postgres").iterdir()] == []
    with pytest.raises(DevelopmentError, match=r"does not keep permissions.*TEST_DATABASE_URL"):
        Cluster(folder).initialise(lambda: None, is_durable=False)


def test_data_is_kept_in_the_project(tmp_path: Path) -> None:
    assert data_folder(tmp_path) == tmp_path / ".data" / "postgres"


def test_a_reserved_port_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    bind = socket.socket.bind

    def reserves_the_first(probe: socket.socket, address: tuple[str, int]) -> None:
        if address[1] == PORTS[0]:
            raise PermissionError(errno.EACCES, "forbidden by its access permissions")
        bind(probe, address)

    monkeypatch.setattr(socket.socket, "bind", reserves_the_first)
    assert find_port(ListenSettings(host="127.0.0.1", port=None)) > PORTS[0]
    with pytest.raises(DevelopmentError, match=f"PORT={PORTS[0]} is taken or reserved"):
        find_port(ListenSettings(host="127.0.0.1", port=PORTS[0]))


@pytest.mark.parametrize("processes", [1, 16])
def test_the_server_has_connections_for_every_process(
    processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = {}

    @contextmanager
    def embedded(*_: object, **options: str) -> Iterator[str]:
        started.update(options)
        yield "an embedded one"

    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr("tests.postgres.embedded_postgres", embedded)
    with running_server(tmp_path, processes):
        assert int(started["max_connections"]) >= processes * CONNECTIONS


def test_an_initdb_that_fails_is_reported_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: str, log: Path, **__: object) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            command = [sys.executable, "-c", "print('its reason'); exit(1)"]
            return subprocess.Popen(command, stdout=output)

    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr("dev.cluster.run_program", fail)
    server = running_server(tmp_path)
    with pytest.raises(pytest.exit.Exception, match=r"its reason\nOr set .* TEST_DATABASE_URL"):
        server.__enter__()
