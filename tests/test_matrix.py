"""Every combination of options, checked without running its tests."""

import hashlib
import re
import subprocess
import sys
import tomllib
from itertools import groupby
from pathlib import Path

import pytest
import yaml
from choices import CHOICES, Context
from conftest import Project
from generation import generate
from matrix import SERVICE_OPTIONS, combinations, expected_files, label, pairwise
from shared_environment import install

pytestmark = pytest.mark.slow

OTHER_OPTIONS = [name for name in CHOICES if name not in SERVICE_OPTIONS]
VENV_PYTHON = ".venv/Scripts/python.exe" if sys.platform == "win32" else ".venv/bin/python"
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
    # docs/auth-recipes.md shows a template that extends another one.
    syntax = r"\{%(?! (?:extends|block|endblock) )|# jinja:|(?<!\$)\{\{"
    assert not re.search(syntax, text), f"{name} is not rendered"
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


def check_combinations(folder: Path, service: Context, others: list[Context]) -> None:
    """Generate a project for `service` and each of `others`, and check it without running it."""
    projects = [
        (context, Project(generate(folder / label(context), context)))
        for context in (service | other for other in others)
    ]
    for context, project in projects:
        assert project.files() == expected_files(context), label(context)
        empty = [
            path for path in project.path.rglob("*") if path.is_dir() and not [*path.iterdir()]
        ]
        assert not empty, label(context)
        for name in project.files():
            check_text(name, (project.path / name).read_bytes().decode())
    check_style(folder)

    trees = sorted((python_hash(project), str(project.path)) for _, project in projects)
    for _, same in groupby(trees, key=lambda tree: tree[0]):
        project = Project(Path(next(same)[1]))
        install(project)
        python = str(project.path / VENV_PYTHON)
        project.run(python, "-m", "mypy", "--strict")
        project.run(python, "-W", "error", "-B", "-c", IMPORT_EVERYTHING)


@pytest.mark.parametrize("service", pairwise(SERVICE_OPTIONS), ids=label)
def test_service_variant_has_its_files_and_passes_linters(service: Context, tmp_path: Path) -> None:
    rows = [row for row in pairwise() if service.items() <= row.items()]
    check_combinations(tmp_path, service, rows or [{}])


@pytest.mark.options
@pytest.mark.parametrize("service", combinations(SERVICE_OPTIONS), ids=label)
def test_every_combination_has_its_files_and_passes_linters(
    service: Context, tmp_path: Path
) -> None:
    check_combinations(tmp_path, service, combinations(OTHER_OPTIONS))
