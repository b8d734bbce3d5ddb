"""Versions of Cookiecutter in which booleans are text."""

from pathlib import Path

import pytest
from conftest import TEMPLATE, Project

pytestmark = pytest.mark.slow


def generate(folder: Path, version: str, *answers: str) -> tuple[int, str]:
    """Return the exit status and the output of Cookiecutter `version`."""
    output = folder / "work"
    output.mkdir()
    options = ["--no-input", "--output-dir", str(output)]
    done = Project(folder).try_to_run(
        *("uvx", "--quiet", "--python", "3.11", "--no-build", "--from", f"cookiecutter=={version}"),
        *("cookiecutter", str(TEMPLATE), *options, *answers),
        variables={"HOME": str(folder)},
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("version", "answers"),
    [
        *(
            (version, ["kubernetes=true"])
            for version in ("2.6.0", "2.5.0", "2.3.0", "2.1.1", "1.7.3")
        ),
        *((version, []) for version in ("2.1.1", "1.7.3")),
        ("2.6.0", ["auth=no", "author_email=nobody"]),
    ],
)
def test_a_version_that_passes_booleans_as_text_is_refused_by_name(
    version: str, answers: list[str], tmp_path: Path
) -> None:
    status, output = generate(tmp_path, version, *answers)

    assert status == 1
    assert output.startswith("This template requires cookiecutter 2.7 or newer")
    assert version in output.splitlines()[0]
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("version", "answers"), [("2.6.0", []), ("2.3.0", []), ("2.7.0", ["kubernetes=true"])]
)
def test_a_version_that_passes_booleans_makes_a_project(
    version: str, answers: list[str], tmp_path: Path
) -> None:
    status, output = generate(tmp_path, version, *answers)

    assert status == 0, output
    made = tmp_path / "work" / "my-service"
    assert (made / "app" / "main.py").exists()
    assert (made / "kubernetes").exists() == bool(answers)
