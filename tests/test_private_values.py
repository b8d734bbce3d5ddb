"""Private variables in replay files and user configurations, which only the template may set."""

import json
import re
from pathlib import Path

import pytest
from conftest import Project
from cookiecutter_cli import cookiecutter, created_paths, reject, replay
from test_reproducibility import tree_hash

SLUG = {"project_slug": "my-service"}
CHANGED = [
    *(("_copy_without_render", value) for value in ([], ["*"], ["README.md"])),
    *(("_jinja2_env_vars", value) for value in ({}, {"line_statement_prefix": "%%"})),
    *(("_new_lines", "\r\n"), ("__other", "x")),
]


@pytest.mark.parametrize(("name", "value"), CHANGED)
def test_replay_file_with_changed_private_variable_is_rejected(
    name: str, value: object, tmp_path: Path
) -> None:
    done = replay(tmp_path, {**SLUG, "author_email": "nope", name: value})

    assert done.returncode == 1
    assert f"  - {name} " in done.stderr
    assert "  - author_email " in done.stderr
    assert created_paths(tmp_path) == []


@pytest.mark.parametrize("extensions", [[], ["jinja2.ext.do"]])
def test_replay_file_without_the_validation_is_rejected(
    extensions: list[str], tmp_path: Path
) -> None:
    done = replay(tmp_path, {**SLUG, "author_email": "nope", "_extensions": extensions})

    assert done.returncode == 1
    assert "the replay file changes _extensions" in done.stderr
    assert created_paths(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("_copy_without_render", ["tests"]), ("_jinja2_env_vars", {"line_statement_prefix": "%%"})],
)
def test_user_config_with_changed_private_variable_is_rejected(
    name: str, value: object, tmp_path: Path
) -> None:
    done = reject(tmp_path, defaults={name: value})

    assert done.returncode == 1
    assert f"  - {name} " in done.stderr
    assert created_paths(tmp_path) == []


def test_replay_file_without_private_variables_is_accepted(tmp_path: Path) -> None:
    assert cookiecutter(tmp_path).returncode == 0
    (tmp_path / "work").rename(tmp_path / "first")
    [stored] = (tmp_path / "replay").iterdir()
    values = json.loads(stored.read_text("utf-8"))["cookiecutter"]
    kept = {name: values[name] for name in values if re.match("__|[^_]", name)}
    stored.write_text(json.dumps({"cookiecutter": kept}), "utf-8")

    done = cookiecutter(tmp_path, flags=["--replay-file", str(stored)])

    assert done.returncode == 0, done.stderr
    (tmp_path / "work").rename(tmp_path / "second")
    assert tree_hash(Project(tmp_path / "second")) == tree_hash(Project(tmp_path / "first"))
