"""Runs of a project's tests that are stopped or killed, and what the next run finds of them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from conftest import Project, clean_environment
from server_process import remaining_processes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM"),
]

WAIT = """
import time
from pathlib import Path


def test_waits(server: str, folder: Path) -> None:
    Path("where.new").write_text(f"{folder}\\n{server}", "utf-8")
    Path("where.new").rename("where")
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def project(cookies_session: Any) -> Project:
    made = Project(cookies_session.bake(extra_context={"example": False}).project_path)
    made.run("uv", "sync", "--quiet")
    (made.path / "tests" / "test_waits.py").write_text(WAIT, "utf-8")
    return made


@contextmanager
def waiting(project: Project, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A run whose only test waits, and the folder of its server; both are gone afterwards."""
    where = project.path / "where"
    where.unlink(missing_ok=True)
    run = subprocess.Popen(
        [project.path / ".venv/bin/python", "-m", "pytest", *options, "tests/test_waits.py"],
        cwd=project.path,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not where.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    folder, address = where.read_text("utf-8").splitlines()
    sockets = Path(parse_qs(urlsplit(address).query)["host"][0])
    assert sockets.exists()
    yield run, Path(folder)
    assert not remaining_processes(Path(folder))
    assert not Path(folder).exists()
    assert not sockets.exists()


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_run_that_is_told_to_stop_leaves_nothing(processes: str, project: Project) -> None:
    with waiting(project, "-n", processes) as (run, _):
        run.terminate()

        # As after Ctrl-C.
        assert run.wait(timeout=60) == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("survivor", ["postgres", "nothing"])
@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_next_run_removes_what_a_killed_one_left(
    processes: str, survivor: str, project: Project
) -> None:
    with waiting(project, "-n", processes) as (run, folder):
        family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                if process.name() != survivor:
                    process.kill()
        run.wait()
        assert folder.exists()

        project.run("uv", "run", "pytest", "tests/test_servers.py")
