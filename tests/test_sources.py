"""The sources are valid before they are rendered, and follow rules that no linter checks."""

import ast
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from itertools import dropwhile
from pathlib import Path, PurePosixPath

import pytest
from choices import CONTEXT
from conftest import LAYERS, SOURCES, TEMPLATE, Bake, list_files, needs_two_layers
from matrix import ONLY_IN
from shared_environment import install

PYTHON_FILES = [
    path
    for pattern in (
        "*.py",
        *(f"{name}/**/*.py" for name in ("benchmarks", "hooks", "scripts", "tests", SOURCES.name)),
    )
    for path in sorted(TEMPLATE.glob(pattern))
]
NAMES = {path: path.relative_to(TEMPLATE).as_posix() for path in PYTHON_FILES}


def python_files() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", PYTHON_FILES, ids=NAMES.values())


@python_files()
def test_every_python_file_parses(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), filename=str(path))


@python_files()
def test_no_python_file_has_more_than_200_lines(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()

    # A header, such as a license that a fork adds to every file, does not count.
    counted = [*dropwhile(lambda line: line.startswith("#"), lines)]

    assert len(counted) <= 200, f"split {NAMES[path]}"


def test_generator_of_resources_has_at_most_350_lines() -> None:
    """Its templates, docstrings, comments and blank lines do not count."""
    count = 0
    for path in (SOURCES / "dev" / "resource").glob("*.py"):
        source = path.read_text("utf-8")
        docstrings = {
            line
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        for number, line in enumerate(source.splitlines(), 1):
            count += bool(line.strip()) and line.lstrip()[0] != "#" and number not in docstrings
    assert 0 < count <= 350


@python_files()
def test_python_has_no_template_blocks_and_expressions_only_in_strings(path: Path) -> None:
    source = path.read_text("utf-8")
    if SOURCES in path.parents:
        assert "{" + "%" not in source
    without_strings = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                without_strings[line] = ""
    assert not re.search(r"\{\{.*cookiecutter", "\n".join(without_strings))


@python_files()
def test_text_files_are_read_and_written_in_a_named_encoding(path: Path) -> None:
    before_encoding = {"read_text": 0, "write_text": 1}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            position = before_encoding.get(node.func.attr)
            is_named = any(keyword.arg == "encoding" for keyword in node.keywords)
            assert position is None or is_named or len(node.args) > position, node.lineno


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_accepts_the_sources(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache"],
        cwd=TEMPLATE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_copied_files_have_no_template_syntax() -> None:
    patterns = CONTEXT["_copy_without_render"]
    for name in list_files(SOURCES):
        paths = [name, *(parent.as_posix() for parent in PurePosixPath(name).parents)]
        if any(fnmatch(path, pattern) for path in paths for pattern in patterns):
            text = (SOURCES / name).read_text("utf-8")
            assert not re.search(r"cookiecutter\.|# jinja:|\{%", text), (
                f"cookiecutter.json: _copy_without_render contains {name}, which must be rendered"
            )


def test_no_source_uses_the_time_or_random_values() -> None:
    impure = re.compile(r"(\{[{%]-?|# jinja:) *(now|random_ascii_string|uuid4|lipsum)|\| *random")
    sources = [TEMPLATE / "cookiecutter.json", *(TEMPLATE / "templates").rglob("*")]
    sources += [SOURCES / name for name in list_files(SOURCES)]

    for path in sources:
        assert path.is_dir() or not impure.search(path.read_text("utf-8")), path


def test_all_layers_have_the_same_files() -> None:
    folders = {path.name for path in (SOURCES / "_variants").iterdir()}
    assert folders == {*LAYERS}, "_variants has one folder for each database_layer"
    first, *others = (
        list_files(SOURCES / "_variants" / layer) - ONLY_IN.get(layer, set()) for layer in LAYERS
    )
    assert all(other == first for other in others)


def test_no_file_of_an_overlay_replaces_a_shared_one() -> None:
    for layer in LAYERS:
        names = list_files(SOURCES / "_variants" / layer)
        assert not {name for name in names if (SOURCES / name).exists()}


@needs_two_layers
def test_no_file_is_identical_in_both_overlays() -> None:
    first, second = (SOURCES / "_variants" / layer for layer in LAYERS)
    names = list_files(first) & list_files(second)

    same = {name for name in names if (first / name).read_bytes() == (second / name).read_bytes()}

    assert same == set(), "move these files out of the overlays"


def imported_modules(path: Path) -> set[str]:
    """Return the names of the modules and members that a module in `app/db` imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "a relative import could leave app/db"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("folder", ["", *(f"_variants/{layer}" for layer in LAYERS)])
def test_database_code_does_not_import_the_web_layer(folder: str) -> None:
    modules = sorted((SOURCES / folder / "app" / "db").rglob("*.py"))

    assert modules
    for path in modules:
        web = re.compile(r"(fastapi|starlette|app\.api|app\.auth)(\.|$)")
        found = {name for name in imported_modules(path) if web.match(name)}
        assert not found, f"{path.relative_to(SOURCES)} imports {', '.join(found)}"


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_mypy_accepts_the_sources_before_rendering(layer: str, bake: Bake, tmp_path: Path) -> None:
    project = bake(database_layer=layer)
    install(project)
    unrendered = tmp_path / "unrendered"
    shutil.copytree(SOURCES, unrendered, ignore=shutil.ignore_patterns("_variants"))
    shutil.copytree(SOURCES / "_variants" / layer, unrendered, dirs_exist_ok=True)
    project.run("uv", "run", "--project", str(project.path), "mypy", "--strict", cwd=unrendered)
