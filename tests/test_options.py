"""What an option consists of. Each test names the file in which something is forgotten."""

import itertools
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from choices import CHOICES, CONTEXT
from conftest import LAYERS, NEEDED, SOURCES, TEMPLATE
from cookiecutter_cli import cookiecutter
from generation import generate_contents, post_hook
from git_repo import GitRepo
from matrix import (
    EVERYTHING,
    ONLY_IN,
    SERVICE_OPTIONS,
    all_files,
    owning_features,
)

TABLE = "feature_files.txt"
ENTRY = "\n[made_up=true]\napp/made_up.py\n"
Files = dict[str, bytes]

COMMON_FILES = (TEMPLATE / "tests" / "common_files.txt").read_text("utf-8").splitlines()
BOOLEANS = [name for name, values in CHOICES.items() if isinstance(values[0], bool)]
OTHER_PROMPTS = [name for name in CONTEXT if not name.startswith("_") and name not in CHOICES]


def contents_with(name: str, value: object) -> Files:
    """Return the contents of a project with every feature, and another value of one prompt."""
    defaults = {option: values[0] for option, values in CHOICES.items()}
    return generate_contents(**(defaults | EVERYTHING | {name: value})).files


@pytest.fixture(scope="module", params=CHOICES)
def option(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def projects(option: str) -> dict[Any, Files]:
    """Return the contents of a project for each value of an option."""
    return {value: contents_with(option, value) for value in CHOICES[option]}


def test_every_value_of_an_option_changes_the_project(
    option: str, projects: dict[Any, Files]
) -> None:
    for one, other in itertools.combinations(projects, 2):
        is_different = projects[one] != projects[other]
        assert is_different, (
            f"{option}={one} and {option}={other} generate the same files: add the files of the "
            f"option to {TABLE}, or use its value in a file"
        )


def test_option_that_changes_the_service_is_in_the_matrix(
    option: str, projects: dict[Any, Files]
) -> None:
    def service(project: Files) -> Any:
        metadata = tomllib.loads(project["pyproject.toml"].decode())["project"]
        python = {name: text for name, text in project.items() if name.endswith(".py")}
        return python, metadata["dependencies"]

    first, *others = map(service, projects.values())
    if any(other != first for other in others):
        assert option in SERVICE_OPTIONS, f"add {option} to SERVICE_OPTIONS in tests/matrix.py"


@pytest.mark.parametrize("name", OTHER_PROMPTS)
def test_every_other_prompt_changes_the_project(name: str) -> None:
    option, values = next(iter(CHOICES.items()))
    value = "other@example.com" if name == "author_email" else "other"

    assert contents_with(name, value) != contents_with(option, values[0])


def test_file_belongs_to_the_options_that_its_path_names() -> None:
    for name in {name for layer in LAYERS for name in all_files(layer)}:
        named = {one for one in BOOLEANS if re.search(rf"(?<![a-z.]){one}(?![a-z])", name)}
        owners = {one for feature in owning_features(name) for one in feature}
        assert named <= owners, (
            f"{name} is generated without {', '.join(named - owners)}: add it to {TABLE}"
        )


def test_files_of_every_project_are_listed() -> None:
    common = {name for layer in LAYERS for name in all_files(layer) if not owning_features(name)}

    # If a fork has one layer, the files that only this layer has are in all of its projects.
    common -= {name for layer in LAYERS for name in ONLY_IN.get(layer, ())}

    assert common - {*COMMON_FILES} == set(), (
        f"add new files to the entry of their option in {TABLE} or, if every project has them, to "
        "tests/common_files.txt"
    )
    assert {*COMMON_FILES} - common == set(), "tests/common_files.txt names others"
    assert sorted(COMMON_FILES) == COMMON_FILES, "sort tests/common_files.txt"


def test_hook_knows_every_option() -> None:
    assert post_hook().OPTIONS.keys() == CHOICES.keys()
    for required, _ in post_hook().FILES_BY_FEATURE:
        for name, value in required.items():
            assert value in CHOICES.get(name, []), (
                f"{TABLE}: {name}={value} is not in cookiecutter.json"
            )


def test_prompts_have_labels_for_their_choices_only() -> None:
    labels = CONTEXT["__prompts__"]

    assert [*labels] == [name for name in CONTEXT if not name.startswith("_")], (
        "__prompts__ in cookiecutter.json must contain every prompt, in the same order"
    )
    for name, label in labels.items():
        if isinstance(label, dict):
            choices = label.keys() - {"__prompt__"}
            assert choices <= {*CHOICES[name]}, f"__prompts__.{name} in cookiecutter.json"
            assert not [one for one in choices if label[one] == one], f"{name}: repeats the value"


@pytest.fixture
def copy(tmp_path: Path) -> GitRepo:
    """Return a copy of the template's files, without a repository."""
    copy = GitRepo(tmp_path / "copy")
    copy.path.mkdir()
    for name in (*NEEDED, SOURCES.name):
        is_folder = (TEMPLATE / name).is_dir()
        (shutil.copytree if is_folder else shutil.copy)(TEMPLATE / name, copy.path / name)
    return copy


def add_entry(copy: GitRepo) -> None:
    with (copy.path / TABLE).open("a", encoding="utf-8") as table:
        table.write(ENTRY)


def test_new_option_is_a_prompt_and_an_entry_in_the_table(copy: GitRepo, tmp_path: Path) -> None:
    file = copy.path / "cookiecutter.json"
    file.write_text(json.dumps({"made_up": False, **CONTEXT}), "utf-8")
    (copy.path / SOURCES.name / "app" / "made_up.py").write_text("NUMBER = 1\n", "utf-8")
    add_entry(copy)

    for value in ("true", "false"):
        context = (f"made_up={value}", f"project_slug=is-{value}")
        assert cookiecutter(tmp_path, *context, template=copy.path).returncode == 0

    assert (tmp_path / "work" / "is-true" / "app" / "made_up.py").exists()
    assert not (tmp_path / "work" / "is-false" / "app" / "made_up.py").exists()


def test_unknown_option_in_the_table_is_reported(copy: GitRepo, tmp_path: Path) -> None:
    add_entry(copy)

    done = cookiecutter(tmp_path, template=copy.path)

    assert done.returncode == 1
    assert f"{TABLE}: cookiecutter.json has no option made_up" in done.stderr
    assert [*(tmp_path / "work").iterdir()] == []
