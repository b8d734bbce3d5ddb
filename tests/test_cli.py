"""The real command line, with answers that no one should give and someone will."""

import re
from pathlib import Path

import pytest
from conftest import Project
from cookiecutter_cli import cookiecutter, made
from rendered_hooks import QUESTIONS
from test_reproducibility import tree_hash

# Makes any use of the network an error, in cookiecutter and in the hooks that it starts.
NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo"}:
        raise SystemExit(f"network used: {event} {arguments}")

sys.addaudithook(refuse)
"""


def test_the_defaults_make_a_project_without_the_network(tmp_path: Path) -> None:
    blocker = tmp_path / "replay" / "sitecustomize.py"
    blocker.parent.mkdir()
    blocker.write_text(NO_NETWORK, "utf-8")

    done = cookiecutter(tmp_path, variables={"PYTHONPATH": str(blocker.parent)})

    assert done.returncode == 0, done.stderr
    assert made(tmp_path) == ["my-service"]


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
def test_a_name_for_people_becomes_a_short_name(name: str, folder: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, f"project_name={name}")

    assert done.returncode == 0, done.stderr
    assert made(tmp_path) == [folder]


@pytest.mark.parametrize(
    "answer",
    [
        *("project_name=1app", "project_name=fastapi", "project_name=con", "project_name="),
        *("project_name=" + "a" * 200, "project_name=😀", "project_slug=../up", "project_slug="),
        *("project_slug=My Service!", "project_slug=" + "a" * 41, "license=GPL", "example=maybe"),
        *("project_slug=a/b", "project_slug=../x/y", "project_slug=.", "project_slug=.."),
        *("project_slug=" + "a" * 300, "project_slug=_"),
        *("database_layer=mysql", "python_version=3.10", "author_email=nobody"),
        *("project_description=one\ntwo", "project_description=one\u2028two"),
    ],
    ids=lambda answer: ascii(answer[:40]),
)
def test_a_bad_answer_makes_nothing(answer: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, answer)

    name = answer.partition("=")[0]
    # From a name for people follows the short one.
    assert re.search(f"{name}|project_slug" if name == "project_name" else name, done.stderr)
    assert (done.returncode, made(tmp_path)) == (1, [])


@pytest.mark.parametrize("is_project", [True, False])
def test_what_is_there_already_is_not_overwritten(*, is_project: bool, tmp_path: Path) -> None:
    if is_project:
        assert cookiecutter(tmp_path).returncode == 0
    project = Project(tmp_path / "work" / "my-service")
    (project.path / "kubernetes").mkdir(parents=True, exist_ok=True)
    (project.path / "kubernetes" / "mine.yaml").write_text("mine: 1\n", "utf-8")
    before = tree_hash(project)

    done = cookiecutter(tmp_path, "example=false", flags=["--no-input", "--overwrite-if-exists"])

    assert done.returncode == 1
    assert "  - project_slug 'my-service' is a folder with files in it" in done.stderr
    assert tree_hash(project) == before


def test_an_empty_repository_can_be_filled(tmp_path: Path) -> None:
    (tmp_path / "work" / "my-service" / ".git").mkdir(parents=True)

    done = cookiecutter(tmp_path, flags=["--no-input", "--overwrite-if-exists"])

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "work" / "my-service" / "app" / "main.py").exists()


@pytest.mark.parametrize("text", ["{{ broken", "{{ nothing.at_all }}", "{% if %}"])
def test_a_broken_expression_stops_cookiecutter_itself(text: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, f"project_description={text}")

    assert done.returncode == 1
    assert made(tmp_path) == []


def test_a_person_is_asked_in_words_with_choices_and_defaults(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, typed=[""] * 20)

    assert done.returncode == 0
    asked = {name for name in QUESTIONS if not name.startswith("_")}
    assert QUESTIONS["__prompts__"].keys() == asked
    for name, label in QUESTIONS["__prompts__"].items():
        words = label if isinstance(label, str) else label["__prompt__"]
        assert words in done.stdout
        default = QUESTIONS[name]
        if isinstance(default, list):
            assert all(
                f"{at} - {label[value]}\n" in done.stdout for at, value in enumerate(default, 1)
            )
    assert "(my-service)" in done.stdout


def test_an_expression_that_is_typed_is_refused(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, typed=["", "typed", "{{ 1 }}", *[""] * 20])

    assert done.returncode == 1
    assert "  - project_description '{{ 1 }}' contains {{" in done.stderr
    assert made(tmp_path) == []


def test_all_problems_are_listed_in_one_message(tmp_path: Path) -> None:
    done = cookiecutter(
        tmp_path, "project_name=fastapi", "project_description=a\tb", "author_email=nobody"
    )

    listed = re.findall(r"^  - (\w+)", done.stderr, re.MULTILINE)
    assert listed == ["project_description", "author_email", "project_slug"]


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
def test_no_answer_is_executed(text: str, tmp_path: Path) -> None:
    # Not in the project's folder, which is removed with all traces when a hook fails.
    canary = tmp_path / "replay" / "canary"
    text = text.replace("CANARY", canary.as_posix())
    answers = [f"{name}={text}" for name in ("project_description", "author_name")]

    done = cookiecutter(tmp_path, *answers, "project_slug=my-service")

    assert made(tmp_path) == (["my-service"] if done.returncode == 0 else [])
    assert not canary.exists()
