"""Test runs that are stopped or killed leave nothing, or are cleaned up by the next run."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from conftest import Project, clean_environment, generate_project
from server_process import remaining_processes
from shared_environment import install

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM"),
]

WAIT = """
import time
from pathlib import Path


def test_waits(server: str, server_data_dir: Path) -> None:
    Path("where.new").write_text(f"{server_data_dir}\\n{server}", "utf-8")
    Path("where.new").rename("where")
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    generated = generate_project(tmp_path_factory, example=False)
    install(generated)
    (generated.path / "tests" / "test_waits.py").write_text(WAIT, "utf-8")
    return generated


@contextmanager
def waiting_run(project: Project, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Yield a run whose only test waits, and the folder of its server; check that both end."""
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
    folder, url = where.read_text("utf-8").splitlines()
    sockets = Path(parse_qs(urlsplit(url).query)["host"][0])
    assert sockets.exists()
    yield run, Path(folder)
    assert not remaining_processes(Path(folder))
    assert not Path(folder).exists()
    assert not sockets.exists()


@pytest.mark.parametrize("processes", ["2", pytest.param("0", marks=pytest.mark.options)])
def test_terminated_run_leaves_no_process_or_folder(processes: str, project: Project) -> None:
    with waiting_run(project, "-n", processes) as (run, _):
        run.terminate()

        # The status after Ctrl-C.
        assert run.wait(timeout=60) == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("survivor", ["postgres", "nothing"])
@pytest.mark.parametrize("processes", ["2", pytest.param("0", marks=pytest.mark.options)])
def test_next_run_cleans_up_after_killed_run(
    processes: str, survivor: str, project: Project
) -> None:
    with waiting_run(project, "-n", processes) as (run, folder):
        family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                if process.name() != survivor:
                    process.kill()
        run.wait()
        assert folder.exists()

        project.run("uv", "run", "pytest", "tests/test_database_safety.py")
