"""Imports and types on Windows and macOS, checked on another system."""

import os
import sys
from pathlib import Path

import pytest
import yaml
from conftest import LAYERS, TEMPLATE, Bake, Project
from shared_environment import install

HERE = Path(__file__).parent
# Collecting imports every module.
COLLECT = ["-m", "pytest", "--collect-only", "--quiet", "-p", "emulated_windows"]
COLLECT += ["--override-ini", "python_files=*.py", "--ignore-glob", "*/in_venv"]
# The first requires gevent, the second a pseudo-terminal.
OTHERS = ["--ignore=benchmarks/generator.py", "--ignore=scripts/update_readme.py"]


def test_modules_can_be_imported_on_windows() -> None:
    folders = ["benchmarks", "scripts", "tests"]

    # PYTHONPATH makes the plugin importable.
    Project(TEMPLATE).run(
        *(sys.executable, *COLLECT, *OTHERS, *folders), variables={"PYTHONPATH": str(HERE)}
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")
def test_long_tmpdir_does_not_lengthen_socket_paths(long_folder: Path) -> None:
    Project(TEMPLATE).run(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_benchmarks.py"),
        variables={"TMPDIR": str(long_folder)},
    )


@pytest.mark.parametrize("system", ["macos-latest", "windows-latest"])
def test_ci_tests_a_project_independently_of_the_template_tests(system: str) -> None:
    workflow = yaml.safe_load((TEMPLATE / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    job = workflow["jobs"]["fresh-machine"]

    assert system in job["strategy"]["matrix"]["os"]
    # Neither waits for the jobs that run the template's own tests, nor runs them itself.
    assert job["needs"] == "lint"
    tests = [step["run"] for step in job["steps"] if "pytest" in step.get("run", "")]
    assert tests == ["uv run pytest --verbose tests/test_fresh_machine.py"]


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", pytest.param("darwin", marks=pytest.mark.options)])
def test_types_are_valid_on_other_platforms(platform: str, tmp_path: Path) -> None:
    cache = ("--cache-dir", str(tmp_path))
    files = ["benchmarks", "hooks", "scripts", "tests"]
    # The resilience tests are not collected on Windows.
    options = ["--exclude", "/in_venv/", "--exclude", "tests/resilience/"]

    Project(TEMPLATE).run(
        *(sys.executable, "-m", "mypy", "--platform", platform, *cache, *options, *files)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "platform"),
    [
        (LAYERS[0], "win32"),
        *(pytest.param(layer, "win32", marks=pytest.mark.options) for layer in LAYERS[1:]),
        *(pytest.param(layer, "darwin", marks=pytest.mark.options) for layer in LAYERS),
    ],
)
def test_project_is_typed_on_other_platforms(
    layer: str, platform: str, bake: Bake, tmp_path: Path
) -> None:
    project = bake(database_layer=layer)
    install(project)

    # The shared cache would be invalid for this platform, and then for the other tests.
    project.run("uv", "run", "mypy", "--platform", platform, "--cache-dir", str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_project_can_be_imported_on_windows(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer)
    install(project)

    project.run(
        *("uv", "run", "python", *COLLECT, "app", "dev", "tests"),
        variables={"PYTHONPATH": os.pathsep.join([".", str(HERE)])},
    )
