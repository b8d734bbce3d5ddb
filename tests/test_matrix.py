"""Every combination of options, checked without running its tests."""

import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
import yaml
from choices import CHOICES, Context
from conftest import Project
from matrix import SERVICE_OPTIONS, bake_in_process, combinations, expected_files, label

pytestmark = pytest.mark.slow

OTHER_COMBINATIONS = combinations([name for name in CHOICES if name not in SERVICE_OPTIONS])
# Run with warnings as errors. Importing a module must not open a connection.
IMPORT_EVERYTHING = """
import importlib, importlib.util, pathlib, pkgutil, socket
socket.socket.connect = None
for package in ("app", "dev", "tests"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(module.name)
for path in pathlib.Path("migrations", "versions").glob("*.py"):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the dependencies of every project."""
    folder = tmp_path_factory.mktemp("environment")
    needs = set()
    for context in combinations(SERVICE_OPTIONS):
        metadata = tomllib.loads(
            (bake_in_process(folder, context) / "pyproject.toml").read_text("utf-8")
        )
        needs |= {*metadata["project"]["dependencies"], *metadata["dependency-groups"]["dev"]}
    project = Project(folder)
    python = folder / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    project.run("uv", "venv", "--quiet", str(folder / "env"))
    project.run("uv", "pip", "install", "--quiet", "--python", str(python), *sorted(needs))
    return python


def python_hash(project: Project) -> str:
    """Return a hash of the Python files and of the settings of the tools."""
    digest = hashlib.sha256()
    for name in sorted(project.files()):
        if name.endswith(".py"):
            digest.update(name.encode() + (project.path / name).read_bytes())
    digest.update(repr(tomllib.loads(project.read("pyproject.toml"))["tool"]).encode())
    return digest.hexdigest()


def check_text(name: str, text: str) -> None:
    """Fail if a generated file has template syntax, invalid syntax or untidy line ends."""
    assert not re.search(r"\{%|# jinja:|(?<!\$)\{\{", text), f"{name} is not rendered"
    assert re.fullmatch(r"|.*\S\n", text, re.DOTALL), f"{name} does not end with one newline"
    assert "\r" not in text, name
    assert name == "README.md" or "cookiecutter" not in text.lower(), name
    if name.endswith((".yaml", ".yml")):
        assert list(yaml.safe_load_all(text)), name
    elif name.endswith(".toml"):
        assert tomllib.loads(text), name


def check_style(folder: Path) -> None:
    """Fail unless ruff accepts all projects in `folder`, each with its own settings."""
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def generate(folder: Path, service: Context) -> Iterator[tuple[Context, Project]]:
    """Yield a project for each combination of the options that `service` does not set."""
    for others in OTHER_COMBINATIONS:
        context = service | others
        yield context, Project(bake_in_process(folder, context))


@pytest.mark.parametrize("service", combinations(SERVICE_OPTIONS), ids=label)
def test_combination_has_its_files_and_passes_linters(
    service: Context, environment: Path, tmp_path: Path
) -> None:
    projects = list(generate(tmp_path, service))

    for context, project in projects:
        assert project.files() == expected_files(context), label(context)
        empty = [
            path for path in project.path.rglob("*") if path.is_dir() and not [*path.iterdir()]
        ]
        assert not empty, label(context)
        for name in project.files():
            check_text(name, (project.path / name).read_bytes().decode())
    check_style(tmp_path)

    trees = sorted((python_hash(project), str(project.path)) for _, project in projects)
    for _, same in groupby(trees, key=lambda tree: tree[0]):
        project = Project(Path(next(same)[1]))
        caches = {"MYPY_CACHE_DIR": str(environment.parents[2] / "mypy")}
        project.run(str(environment), "-m", "mypy", "--strict", variables=caches)
        project.run(str(environment), "-W", "error", "-B", "-c", IMPORT_EVERYTHING)
