"""The real command line, with answers that no one should give and someone will."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from conftest import TEMPLATE, Project, clean_environment
from test_rendering import tree_hash

# Makes any use of the network an error, in cookiecutter and in the hooks that it starts.
NO_NETWORK = """
import sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo"}:
        raise SystemExit(f"network used: {event} {arguments}")

sys.addaudithook(refuse)
"""


def cookiecutter(
    folder: Path,
    *arguments: str,
    defaults: Mapping[str, str] = {},
    variables: Mapping[str, str] = {},
    typed: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run cookiecutter in `folder`/work with a configuration of its own."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(
        yaml.safe_dump(
            {"replay_dir": str(folder / "replay"), "default_context": dict(defaults)},
            allow_unicode=True,
        ),
        "utf-8",
    )
    options = ["--config-file", str(config), *([] if typed else ["--no-input"])]
    return subprocess.run(
        [sys.executable, "-m", "cookiecutter", *options, str(TEMPLATE), *arguments],
        cwd=work,
        env=clean_environment(variables),
        input="".join(f"{line}\n" for line in typed),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def made(folder: Path) -> list[str]:
    """What is in the working directory and beside it, but for this test's own files."""
    own = {"work", "config.yaml", "replay"}
    return sorted(
        [path.name for path in (folder / "work").iterdir()]
        + [path.name for path in folder.iterdir() if path.name not in own]
    )


def test_the_defaults_make_a_project_without_the_network(tmp_path: Path) -> None:
    blocker = tmp_path / "replay" / "sitecustomize.py"
    blocker.parent.mkdir()
    blocker.write_text(NO_NETWORK)

    done = cookiecutter(tmp_path, variables={"PYTHONPATH": str(blocker.parent)})

    assert done.returncode == 0, done.stderr
    assert made(tmp_path) == ["my-service"]


def test_time_place_locale_and_hash_seed_do_not_reach_the_output(tmp_path: Path) -> None:
    for folder, variables in {
        "first": {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
        "second": {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "PYTHONUTF8": "1"},
    }.items():
        (tmp_path / folder).mkdir()
        assert cookiecutter(tmp_path / folder, variables=variables).returncode == 0

    first, second = (Project(tmp_path / folder / "work") for folder in ("first", "second"))
    assert tree_hash(first) == tree_hash(second)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("class", "class"),
        ("test", "test"),
        ("My Service!", "my-service"),
        ("../up", "up"),
        ("Überraschung 😀", "uberraschung"),
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
        *("database_layer=mysql", "python_version=3.10", "author_email=nobody"),
        *("project_description=one\ntwo", "project_description=one\u2028two"),
    ],
    ids=lambda answer: ascii(answer[:40]),
)
def test_a_bad_answer_makes_nothing(answer: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, answer)

    assert done.returncode == 1
    assert made(tmp_path) == []


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
def test_a_bad_answer_in_the_configuration_makes_nothing(text: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, defaults={"project_description": text})

    assert done.returncode == 1
    assert "  - project_description " in done.stderr
    assert made(tmp_path) == []


@pytest.mark.parametrize("text", ["{{ broken", "{{ nothing.at_all }}", "{% if %}"])
def test_a_broken_expression_stops_cookiecutter_itself(text: str, tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, f"project_description={text}")

    assert done.returncode == 1
    assert made(tmp_path) == []


def test_a_person_is_asked_in_words_and_an_expression_that_is_typed_is_refused(
    tmp_path: Path,
) -> None:
    done = cookiecutter(tmp_path, typed=["", "typed", "{{ 1 }}", *[""] * 20])

    assert "How the service speaks to PostgreSQL" in done.stdout
    assert "unmaintained since 2024" in done.stdout
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
