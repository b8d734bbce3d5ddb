"""Values in files: the defaults of a team, and replay files."""

import json
from pathlib import Path

import pytest
from choices import CHOICES
from conftest import Project
from cookiecutter_cli import cookiecutter, created_paths, reject
from test_reproducibility import tree_hash


@pytest.mark.parametrize(
    "text",
    [
        "a\0b",
        "a\ud800b",
        "\ud83d\ude00",
        "a\nb",
        "a\u2028b",
        "{{ '{{ 1 }}' }}",
        "{{ '{% raw %}' }}",
    ],
    ids=ascii,
)
def test_invalid_text_in_user_config_creates_nothing(text: str, tmp_path: Path) -> None:
    done = reject(tmp_path, defaults={"project_description": text})

    assert done.returncode == 1
    assert "  - project_description " in done.stderr
    assert created_paths(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("project_name", value) for value in (None, True, "a\0b")),
        *(("project_slug", value) for value in (None, True, "a\0b", 7)),
    ],
    ids=ascii,
)
def test_invalid_name_in_user_config_creates_nothing(
    name: str, value: object, tmp_path: Path
) -> None:
    done = reject(tmp_path, defaults={name: value})

    assert done.returncode == 1
    assert f"  - {name} " in done.stderr
    assert created_paths(tmp_path) == []


@pytest.mark.parametrize("choice", [{"python_version": 3.11}, {"license": "GPL"}, {"ci": None}])
def test_invalid_choice_in_user_config_fails_if_warnings_are_errors(
    choice: dict[str, object], tmp_path: Path
) -> None:
    # By default, cookiecutter only warns, and ignores the whole configuration.
    strict = {"PYTHONWARNINGS": "error::UserWarning"}

    done = cookiecutter(tmp_path, defaults={**choice, "author_name": "Ada"}, variables=strict)

    assert done.returncode == 1
    assert next(iter(choice)) in done.stderr
    assert created_paths(tmp_path) == []


def test_command_line_overrides_user_config(
    tmp_path: Path,
) -> None:
    team = {"author_name": "The Team", "kubernetes": True, "example": False}

    done = cookiecutter(tmp_path, "kubernetes=false", defaults=team)

    assert done.returncode == 0, done.stderr
    project = Project(tmp_path / "work" / "my-service")
    assert 'name = "The Team"' in project.read("pyproject.toml")
    assert "kubernetes/deployment.yaml" not in project.files()
    assert "app/api/routes/articles.py" not in project.files()


def test_replay_generates_the_same_project(tmp_path: Path) -> None:
    values = {name: choices[-1] for name, choices in CHOICES.items()}
    arguments = [f"{name}={value}" for name, value in values.items()]
    assert cookiecutter(tmp_path, "project_name=Once Äöü", *arguments).returncode == 0
    work = tmp_path / "work"
    work.rename(tmp_path / "first")
    [stored] = (tmp_path / "replay").iterdir()
    assert values.items() <= json.loads(stored.read_text("utf-8"))["cookiecutter"].items()

    again = cookiecutter(tmp_path, flags=["--replay"])

    assert again.returncode == 0, again.stderr
    assert tree_hash(Project(work)) == tree_hash(Project(tmp_path / "first"))
