"""The command line, with valid and invalid values."""

import re
from pathlib import Path

import pytest
from choices import CHOICES, CONTEXT, REFERENCE
from conftest import Project
from cookiecutter_cli import cookiecutter, created_paths, reject
from test_reproducibility import tree_hash

# Loaded by cookiecutter and by its hooks; any use of the network ends the process.
NO_NETWORK = """
import sys

def forbid_network(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo"}:
        raise SystemExit(f"network used: {event} {arguments}")

sys.addaudithook(forbid_network)
"""


def test_defaults_generate_a_project_without_network(tmp_path: Path) -> None:
    blocker = tmp_path / "replay" / "sitecustomize.py"
    blocker.parent.mkdir()
    blocker.write_text(NO_NETWORK, "utf-8")

    done = cookiecutter(tmp_path, variables={"PYTHONPATH": str(blocker.parent)})

    assert done.returncode == 0, done.stderr
    assert created_paths(tmp_path) == ["my-service"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("class", "class"),
        ("test", "test"),
        ("My Service!", "my-service"),
        ("../up", "up"),
        ("Überraschung 😀", "uberraschung"),
        ("Übung 1", "ubung-1"),
        ("日本語", "ri-ben-yu"),
    ],
)
def test_slug_is_derived_from_the_name(name: str, folder: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, f"project_name={name}")

    assert done.returncode == 0, done.stderr
    assert created_paths(tmp_path) == [folder]


@pytest.mark.parametrize(
    "argument",
    [
        *("project_name=1app", "project_name=fastapi", "project_name=con", "project_name="),
        *("project_name=" + "a" * 200, "project_name=😀", "project_slug=../up", "project_slug="),
        *("project_slug=My Service!", "project_slug=" + "a" * 41, "license=GPL", "example=maybe"),
        *("project_slug=a/b", "project_slug=../x/y", "project_slug=.", "project_slug=.."),
        *("project_slug=" + "a" * 300, "project_slug=_"),
        *("database_layer=mysql", "python_version=3.10", "author_email=nope"),
        *("project_description=one\ntwo", "project_description=one\u2028two"),
    ],
    ids=lambda argument: ascii(argument[:40]),
)
def test_invalid_value_creates_nothing(argument: str, tmp_path: Path) -> None:
    done = reject(tmp_path, argument)

    name = argument.partition("=")[0]
    # The slug is derived from the name.
    assert re.search(f"{name}|project_slug" if name == "project_name" else name, done.stderr)
    assert (done.returncode, created_paths(tmp_path)) == (1, [])


@pytest.mark.parametrize("is_project", [True, False])
def test_existing_files_are_not_overwritten(*, is_project: bool, tmp_path: Path) -> None:
    if is_project:
        assert cookiecutter(tmp_path).returncode == 0
    project = Project(tmp_path / "work" / "my-service")
    (project.path / "kubernetes").mkdir(parents=True, exist_ok=True)
    (project.path / "kubernetes" / "mine.yaml").write_text("mine: 1\n", "utf-8")
    before = tree_hash(project)

    done = cookiecutter(tmp_path, "example=false", flags=["--no-input", "--overwrite-if-exists"])

    assert done.returncode == 1
    assert "No project was generated: the folder my-service is not empty." in done.stderr
    assert tree_hash(project) == before


def test_folder_with_only_git_data_is_filled(tmp_path: Path) -> None:
    (tmp_path / "work" / "my-service" / ".git").mkdir(parents=True)

    done = cookiecutter(tmp_path, flags=["--no-input", "--overwrite-if-exists"])

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "work" / "my-service" / "app" / "main.py").exists()


@pytest.mark.parametrize("text", ["{{ broken", "{{ nothing.at_all }}", "{% if %}"])
def test_broken_template_expression_creates_nothing(text: str, tmp_path: Path) -> None:
    done = reject(tmp_path, f"project_description={text}")

    assert done.returncode == 1
    assert created_paths(tmp_path) == []


def test_prompts_show_labels_choices_and_defaults(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, typed=[""] * 20)

    assert done.returncode == 0
    prompts = {name for name in CONTEXT if not name.startswith("_")}
    assert CONTEXT["__prompts__"].keys() == prompts
    for name, label in CONTEXT["__prompts__"].items():
        labels = label if isinstance(label, dict) else {"__prompt__": label}
        assert labels["__prompt__"] in done.stdout
        choices = CONTEXT[name] if isinstance(CONTEXT[name], list) else []
        # The values of the user configuration come first.
        values = sorted(choices, key=lambda value: value != REFERENCE[name])
        for number, value in enumerate(values, 1):
            # Without a label, cookiecutter shows the value.
            assert f"{number} - {labels.get(value, value)}\n" in done.stdout
    assert "(my-service)" in done.stdout


@pytest.mark.parametrize("option", CHOICES)
def test_all_choices_of_an_option_have_labels_or_none(option: str) -> None:
    labels = CONTEXT["__prompts__"][option]

    if isinstance(labels, dict):
        assert labels.keys() == {"__prompt__", *CHOICES[option]}, (
            "change __prompts__ in cookiecutter.json"
        )


def test_typed_template_expression_is_rejected(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, typed=["", "typed", "{{ 1 }}", *[""] * 20])

    assert done.returncode == 1
    assert "  - project_description '{{ 1 }}' contains template syntax ({{)" in done.stderr
    assert created_paths(tmp_path) == []


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    done = reject(tmp_path, "project_name=fastapi", "project_description=a\tb", "author_email=nope")

    listed = re.findall(r"^  - (\w+)", done.stderr, re.MULTILINE)
    assert listed == ["project_slug", "project_description", "author_email"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "''' + str(open('CANARY', 'w')) + '''",
        '" + str(open("CANARY", "w")) + "',
        '""" + str(open("CANARY", "w")) + """',
        "\\'''); open('CANARY', 'w')  #",
        "$(touch CANARY) `touch CANARY` ; touch CANARY",
        "' && touch CANARY && '",
        '"\nrun: touch CANARY',
    ],
)
def test_no_value_is_executed(text: str, tmp_path: Path) -> None:
    # Outside the project, which cookiecutter removes if a hook fails.
    canary = tmp_path / "replay" / "canary"
    text = text.replace("CANARY", canary.as_posix())
    values = [f"{name}={text}" for name in ("project_description", "author_name")]

    done = cookiecutter(tmp_path, *values, "project_slug=my-service")

    assert created_paths(tmp_path) == (["my-service"] if done.returncode == 0 else [])
    assert not canary.exists()
