"""Versions of cookiecutter before 2.7, some of which pass booleans as text."""

from pathlib import Path

import pytest
from conftest import TEMPLATE, Project
from cookiecutter_cli import write_config

pytestmark = pytest.mark.slow


def generate(folder: Path, version: str, *arguments: str) -> tuple[int, str]:
    """Run cookiecutter `version`, and return its exit status and output."""
    output = folder / "work"
    output.mkdir()
    config = ["--config-file", str(write_config(folder))]
    options = ["--no-input", "--output-dir", str(output), *config]
    done = Project(folder).try_to_run(
        *("uvx", "--quiet", "--python", "3.11", "--no-build", "--from", f"cookiecutter=={version}"),
        *("cookiecutter", str(TEMPLATE), *options, *arguments),
        variables={"HOME": str(folder)},
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("2.6.0", ["kubernetes=true"]),
        *(
            pytest.param(version, arguments, marks=pytest.mark.versions)
            for version, arguments in [
                ("2.5.0", ["kubernetes=true"]),
                ("2.3.0", ["kubernetes=true"]),
                ("2.1.1", ["kubernetes=true"]),
                ("2.1.1", []),
                ("2.6.0", ["auth=no", "author_email=nope"]),
            ]
        ),
    ],
)
def test_version_that_passes_booleans_as_text_is_rejected(
    version: str, arguments: list[str], tmp_path: Path
) -> None:
    status, output = generate(tmp_path, version, *arguments)

    assert status == 1
    assert output.startswith("This template requires cookiecutter 2.7 or newer")
    assert version in output.splitlines()[0]
    assert list((tmp_path / "work").iterdir()) == []


def test_version_that_cannot_load_the_extension_creates_nothing(tmp_path: Path) -> None:
    status, output = generate(tmp_path, "1.7.3")

    assert (status, output.split(":")[0]) == (1, "Unable to load extension")
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("2.7.0", ["kubernetes=true"]),
        pytest.param("2.6.0", [], marks=pytest.mark.versions),
        pytest.param("2.3.0", [], marks=pytest.mark.versions),
    ],
)
def test_version_that_passes_booleans_generates_a_project(
    version: str, arguments: list[str], tmp_path: Path
) -> None:
    status, output = generate(tmp_path, version, *arguments)

    assert status == 0, output
    project = tmp_path / "work" / "my-service"
    assert (project / "app" / "main.py").exists()
    assert (project / "kubernetes").exists() == bool(arguments)
