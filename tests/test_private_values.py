"""Values of the template that a file of answers can bring, and must not change."""

import json
import re
from pathlib import Path

import pytest
from conftest import Project
from cookiecutter_cli import cookiecutter, made, replay
from rendered_hooks import QUESTIONS, load_hook
from test_reproducibility import tree_hash

SLUG = {"project_slug": "my-service"}
OTHERS = [
    *(("_copy_without_render", value) for value in ([], ["*"], ["README.md"])),
    *(("_jinja2_env_vars", value) for value in ({}, {"line_statement_prefix": "%%"})),
    *(("_extensions", []), ("_extensions", ["jinja2.ext.do"])),
    *(("_new_lines", "\r\n"), ("__other", "x")),
]


def test_the_hook_knows_the_private_values_of_the_template(tmp_path: Path) -> None:
    known = load_hook(tmp_path, "pre_gen_project").PRIVATE

    names = {name for name in QUESTIONS if name.startswith("_") and not name.startswith("__")}
    assert known == {name: QUESTIONS[name] for name in names}


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_a_replayed_file_with_other_private_values_is_refused(
    name: str, value: object, tmp_path: Path
) -> None:
    done = replay(tmp_path, {**SLUG, "author_email": "nobody", name: value})

    assert done.returncode == 1
    assert f"  - {name} " in done.stderr
    assert "  - author_email " in done.stderr
    assert made(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("_copy_without_render", ["tests"]), ("_jinja2_env_vars", {"line_statement_prefix": "%%"})],
)
def test_a_configuration_with_other_private_values_is_refused(
    name: str, value: object, tmp_path: Path
) -> None:
    done = cookiecutter(tmp_path, defaults={name: value})

    assert done.returncode == 1
    assert f"  - {name} " in done.stderr
    assert made(tmp_path) == []


def test_a_replayed_file_without_private_values_is_accepted(tmp_path: Path) -> None:
    assert cookiecutter(tmp_path).returncode == 0
    (tmp_path / "work").rename(tmp_path / "first")
    [stored] = (tmp_path / "replay").iterdir()
    answers = json.loads(stored.read_text("utf-8"))["cookiecutter"]
    kept = {name: answers[name] for name in answers if re.match("__|[^_]", name)}
    stored.write_text(json.dumps({"cookiecutter": kept}), "utf-8")

    done = cookiecutter(tmp_path, flags=["--replay-file", str(stored)])

    assert done.returncode == 0, done.stderr
    (tmp_path / "work").rename(tmp_path / "second")
    assert tree_hash(Project(tmp_path / "second")) == tree_hash(Project(tmp_path / "first"))
