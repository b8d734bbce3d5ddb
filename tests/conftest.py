"""One way to make a project, and one way to run things in it."""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = Path(__file__).resolve().parent.parent
SOURCES = TEMPLATE / "{{cookiecutter.project_slug}}"
PYTHON = ".".join(platform.python_version_tuple()[:2])
LAYERS = ("async-session", "databases")

# What tools leave behind, in the sources or in a project that has been run.
LEFTOVERS = {
    *(".coverage", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"),
    *("__pycache__", "uv.lock"),
}


def list_files(folder: Path) -> set[str]:
    """Relative paths of all files that no tool left behind, with forward slashes."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if not LEFTOVERS & set(path.parts)}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Use a temporary folder of this run's own, and so does whatever the tests start.

    Where root runs the tests, PostgreSQL runs as another user; from the usual folder, each pytest
    that starts on the machine would shut that user out. And cookiecutter leaves the hooks of every
    bake in the temporary folder.
    """
    if not config.option.basetemp:
        folder = tempfile.TemporaryDirectory(prefix="template-", ignore_cleanup_errors=True)
        config.option.basetemp = str(Path(folder.name, "tests"))
        os.environ["TMPDIR"] = tempfile.tempdir = folder.name
        config.add_cleanup(folder.cleanup)


@dataclass(frozen=True)
class Project:
    """A project made by this template."""

    path: Path

    def read(self, name: str) -> str:
        return (self.path / name).read_text("utf-8")

    def files(self) -> set[str]:
        return list_files(self.path)

    def run(
        self,
        *command: str,
        cwd: Path | None = None,
        stdin: str = "",
        variables: Mapping[str, str] = {},
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in the project and fail the test, with all its output, if it fails."""
        done = self.try_to_run(*command, cwd=cwd, stdin=stdin, variables=variables)
        if done.returncode != 0:
            pytest.fail(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
        return done

    def try_to_run(
        self,
        *command: str,
        cwd: Path | None = None,
        stdin: str = "",
        variables: Mapping[str, str] = {},
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in the project, with its errors among its output."""
        return subprocess.run(
            command,
            cwd=cwd or self.path,
            env=clean_environment(variables),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )


def clean_environment(variables: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of a person's shell: no database, and nothing of this suite's own tools.

    But projects run on the Python of this suite, whichever their own is: it may not be here.
    """
    # Without its bytecode, every process would compile the whole environment anew.
    foreign = re.compile(
        "PYTHONDONTWRITEBYTECODE|VIRTUAL_ENV|(TEST_)?DATABASE_URL|(POSTGRES|PYTEST|COV|MAKE|MFLAGS).*"
    )
    clean = {name: value for name, value in os.environ.items() if not foreign.fullmatch(name)}
    # A uv that the Makefile has fetched is not on PATH, where the projects look for it.
    if uv := os.environ.get("UV"):
        clean["PATH"] = os.pathsep.join([str(Path(uv).parent), clean["PATH"]])
    return {"UV_PYTHON": PYTHON, **clean, **variables}


@pytest.fixture
def long_folder() -> Iterator[Path]:
    """Yield a folder with a path of 60 characters, longer than the TMPDIR of a Mac."""
    with tempfile.TemporaryDirectory(prefix="x" * 47, dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """Yield a folder for Unix sockets, whose paths have at most 103 bytes: TMPDIR may be longer."""
    with tempfile.TemporaryDirectory(prefix="template-", dir="/tmp") as folder:
        yield Path(folder)


Bake = Callable[..., Project]


@pytest.fixture
def bake(cookies: Any) -> Bake:
    """Make a project with some answers changed."""

    def make(**answers: object) -> Project:
        result = cookies.bake(extra_context=answers)
        # The plugin swallows whatever happens, hooks included.
        assert (result.exit_code, result.exception) == (0, None)
        return Project(result.project_path)

    return make


def find_python(version: str) -> str | None:
    """The interpreter of `version` that this machine has, if any."""
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    found = subprocess.run(
        [uv, "python", "find", "--no-project", "--no-python-downloads", version],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        return found.stdout.strip()
    # pyenv keeps interpreters that are not on PATH.
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return next((str(path) for path in root.glob(f"versions/{version}.*/bin/python")), None)
