"""Supported Python versions, and wheels of all dependencies for every platform."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from choices import CHOICES
from conftest import LAYERS, TEMPLATE, Bake, clean_environment
from matrix import EVERYTHING

PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
PLATFORMS = [
    *("aarch64-apple-darwin", "x86_64-apple-darwin"),
    *("aarch64-pc-windows-msvc", "x86_64-pc-windows-msvc"),
    *("aarch64-manylinux_2_28", "x86_64-manylinux_2_28"),
]
# Missing wheels; the template itself is not developed on this platform.
MISSING_FOR_TEMPLATE = {("3.11", "aarch64-pc-windows-msvc"): "pyyaml"}


def packages_without_wheels(folder: Path, python: str, target: str) -> str:
    """Return the error of uv if a dependency of `folder` has no wheel, or an empty string."""
    done = subprocess.run(
        [
            *("uv", "pip", "compile", "--quiet", "--no-header", "--only-binary", ":all:"),
            *("--python-version", python, "--python-platform", target, "--group", "dev"),
            "pyproject.toml",
        ],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stderr


@pytest.mark.parametrize("version", CHOICES["python_version"])
def test_project_requires_the_selected_python(version: str, bake: Bake) -> None:
    project = bake(python_version=version)

    # Hide all interpreters, so that uv reports which version it looks for.
    done = project.try_to_run(
        *("uv", "python", "find"),
        variables={
            "UV_PYTHON": "",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_PYTHON_INSTALL_DIR": str(project.path / "none"),
            "UV_PYTHON_PREFERENCE": "only-managed",
        },
    )

    assert f"No interpreter found for Python {version} " in done.stdout


@pytest.mark.parametrize("folder", ["template", "project"])
def test_requires_python_matches_the_tested_versions(folder: str, bake: Bake) -> None:
    path = TEMPLATE if folder == "template" else bake().path
    metadata = tomllib.loads((path / "pyproject.toml").read_text("utf-8"))["project"]

    last = int(PYTHONS[-1].removeprefix("3."))
    assert metadata["requires-python"] == f">={PYTHONS[0]},<3.{last + 1}"


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("layer", LAYERS)
def test_dependencies_of_a_project_have_wheels(layer: str, python: str, bake: Bake) -> None:
    project = bake(**EVERYTHING, database_layer=layer)

    for target in PLATFORMS:
        assert packages_without_wheels(project.path, python, target) == "", target


@pytest.mark.slow
@pytest.mark.versions
@pytest.mark.parametrize("python", PYTHONS)
def test_dependencies_of_the_template_have_wheels(python: str) -> None:
    for target in PLATFORMS:
        missing = packages_without_wheels(TEMPLATE, python, target)
        if package := MISSING_FOR_TEMPLATE.get((python, target)):
            assert package in missing, f"{package} has wheels for {target} now"
        else:
            assert missing == "", target
