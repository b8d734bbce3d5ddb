"""`make run` and `make test` on machines that only have uv.

In CI, they run on Linux, macOS and Windows; the tools of the CI image are hidden from them.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from choices import REFERENCE
from conftest import LAYERS, Bake, clean_environment, find_python
from server_process import run_server
from test_without_make import read_table

pytestmark = pytest.mark.slow

SYSTEM_FOLDERS = {
    # None: on many Linux machines, /usr/bin contains a Python.
    "linux": [],
    # These folders contain the Python 3.9 of macOS.
    "darwin": ["/usr/bin", "/bin", "/usr/sbin", "/sbin"],
    # Without Git and MinGW, whose libraries could replace missing ones.
    "win32": [rf"{os.environ.get('SYSTEMROOT')}\System32", os.environ.get("SYSTEMROOT", "")],
}
POSIX_LIMITS = ["/bin/sh", "-c", 'ulimit -n 256 && exec "$@"', "sh"]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder that only contains uv."""
    folder = tmp_path / "programs"
    folder.mkdir()
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv
    shutil.copy(uv, folder)
    return folder


@pytest.fixture
def variables(programs: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Return an environment in which only `programs` and the system's own folders are on PATH."""
    path = os.pathsep.join([str(programs), *SYSTEM_FOLDERS[sys.platform]])
    # Ignore the Python that CI or a developer has selected.
    variables = {"PATH": path, "UV": "", "UV_PYTHON": ""}
    if sys.platform == "linux":
        variables["TMPDIR"] = str(request.getfixturevalue("long_folder"))
    return variables


def find_default_python() -> str:
    """Return the interpreter that a project requires by default."""
    version = REFERENCE["python_version"]
    if python := find_python(version):
        return python
    pytest.skip(f"there is no Python {version} on this machine")


def link_managed_python(folder: Path) -> None:
    """Link an installed interpreter into `folder`, where uv would install a downloaded one."""
    code = "import platform, sys; print(platform.python_version(), sys.base_prefix)"
    command = [find_default_python(), "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    version, prefix = done.stdout.strip().split(maxsplit=1)
    managed = folder / f"cpython-{version}-linux-{platform.machine()}-gnu"
    managed.mkdir(parents=True)
    for path in Path(prefix).iterdir():
        (managed / path.name).symlink_to(path)


def check_commands(project_commands: dict[str, list[str]], folder: Path, **variables: str) -> None:
    """Start the service, send a request, stop it, and run the tests of the project."""
    limits = [] if sys.platform == "win32" else POSIX_LIMITS
    [run], [test] = project_commands["make run"], project_commands["make test"]
    with run_server([*limits, *shlex.split(run)], folder, **variables) as service:
        assert service.request("GET", "/readyz")[0] == 200
        assert service.interrupt() == 0 or sys.platform == "win32"
    done = subprocess.run(
        [*limits, *shlex.split(test)],
        cwd=folder,
        env=clean_environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.versions)])
def test_project_requires_only_uv(
    bake: Bake, tmp_path: Path, variables: dict[str, str], *, is_full: bool
) -> None:
    project = bake(database_layer=LAYERS[0], example=is_full, auth=is_full)
    variables |= {"UV_PYTHON_PREFERENCE": "only-managed"}
    if sys.platform == "linux":
        pythons = tmp_path / "pythons"
        link_managed_python(pythons)
        variables |= {"UV_PYTHON_INSTALL_DIR": str(pythons), "UV_PYTHON_DOWNLOADS": "never"}

    check_commands(read_table(project), project.path, **variables)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no python3")
def test_outdated_python3_is_ignored(bake: Bake, programs: Path, variables: dict[str, str]) -> None:
    # The version that macOS has.
    old = find_python("3.9")
    if old is None:
        pytest.skip("there is no Python 3.9 on this machine")
    new = find_default_python()
    (programs / "python3").symlink_to(old)
    (programs / Path(new).resolve().name).symlink_to(new)
    project = bake(database_layer=LAYERS[-1], example=False, auth=False)

    # All tests pass without any python3, see above.
    few = {"PYTEST_ADDOPTS": "tests/test_settings.py --cov-fail-under=0"}
    variables |= {"UV_PYTHON_PREFERENCE": "only-system", **few}
    check_commands(read_table(project), project.path, **variables)
