"""Random values generate a valid project, or a list that names exactly the invalid values."""

import ast
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from choices import CHOICES
from conftest import LAYERS, Project
from cookiecutter_cli import cookiecutter, created_paths, replay
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rendered_hooks import FREE_TEXT
from test_generated_projects import run_checks
from test_rendering import check_style

pytestmark = pytest.mark.slow

#: Half of the contexts come from a replay file, half from the command line.
CONTEXTS = int(os.environ.get("FUZZ_PROMPTS", "24"))
INSTALLED = max(6, CONTEXTS // 40)

TRICKY_TEXT = [
    *("'", '"', "'''", '"""', "\\", "\\\\", "\\n", "`", "$", "${HOME}", ";", "&&", "|", ">", "~"),
    *("$(touch CANARY)", "`touch CANARY`", "' + str(open('CANARY', 'w')) + '", "../", "NUL"),
    *("#", " # ", ": ", "- ", "- [", "]", "}", "}}", "%}", "{", "{0}", "%s", "%(here)s", "&a"),
    *("*a", "!!python/object", "<!--", "-->", "</script>", "\u00e9", "e\u0301", "\u05e9\u05dc"),
    *("\U0001f600", "\U0001f469\u200d\U0001f4bb", "\u06cc\u200c\u062e", "\u65e5\u672c"),
]  # fmt: skip
UNPRINTABLE = [
    *("\x00", "\t", "\n", "\r", "\x7f", "\x85", "\u2028", "\u2029", "\ufffe"),
    *("\xad", "\u200b", "\u200e", "\u202e", "\u2060", "\u2066", "\u3164", "\ufeff"),
]
# Zero-width or blank characters outside the Unicode categories of control characters.
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
ONLY_IN_FILES = ["\ud800", "\udfff", "{{", "{%", "{#", "# jinja:"]

plain = st.characters(
    exclude_categories=["Cc", "Cf", "Cn", "Cs", "Zl", "Zp"], exclude_characters=INVISIBLE
)
words = st.lists(st.text(plain, max_size=8) | st.sampled_from(TRICKY_TEXT), min_size=1, max_size=6)
valid_text = (
    words.map("".join)
    .map(str.strip)
    .filter(lambda text: text and not re.search(r"\{[{%#]|# jinja:", text) and len(text) <= 80)
)
# Not a reserved name: no package begins with `x-`.
valid_slug = st.from_regex(r"\Ax-[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,2}\Z")
INVALID_NAMES = ["1a", "A", "a_b", "a--b", "con", "fastapi", "postgres", "\u00e9", "~", "_"]
# cookiecutter creates the folder of a replayed slug before any code of the template runs.
invalid_folder_name = st.sampled_from(INVALID_NAMES)
invalid_slug = st.sampled_from([*INVALID_NAMES, ".", "..", "a" * 300, "a/b", "../a/b", "/a/b"])
valid_email = st.sampled_from(["a@b.cd", "ada+x@example.com", "o'neil@example.org", "é@exämple.de"])


def invalid_text(text: st.SearchStrategy[str], marks: list[str]) -> st.SearchStrategy[str]:
    """Return a strategy for `text` with one of `marks` inside."""
    return st.builds(lambda a, mark, b: f"{a}{mark}{b}", text, st.sampled_from(marks), text)


class Submission(NamedTuple):
    """Prompt values, and the names of those that must be rejected."""

    values: dict[str, Any]
    invalid: set[str]


@st.composite
def submissions(draw: st.DrawFn, *, replayed: bool, may_be_invalid: bool = True) -> Submission:
    """Draw a value for each prompt; on a command line, only values that reach the validation."""
    marks = UNPRINTABLE + ONLY_IN_FILES if replayed else UNPRINTABLE[1:]
    other_types = st.sampled_from([None, True, 7, ["a"], {"a": "b"}] if replayed else [""])
    any_invalid_text = invalid_text(valid_text, marks) | st.just("x" * 400) | other_types
    valid = dict.fromkeys(FREE_TEXT, valid_text)
    valid |= {"author_email": valid_email, "project_slug": valid_slug}
    valid |= {name: st.sampled_from(values) for name, values in CHOICES.items()}
    invalid = dict.fromkeys(FREE_TEXT, any_invalid_text)
    invalid["project_slug"] = invalid_folder_name if replayed else invalid_slug
    if replayed:
        choices = st.sampled_from(["", "yes", None, 3, "other", ["MIT"]])
        invalid |= dict.fromkeys(CHOICES, choices)
    names = draw(st.just(set()) | st.sets(st.sampled_from(sorted(invalid)), max_size=4))
    names = names if may_be_invalid else set()
    values = {name: draw((invalid if name in names else valid)[name]) for name in valid}
    return Submission(values, names)


def submit(folder: Path, submission: Submission, *, replayed: bool) -> Project | None:
    """Return the generated project, or None if exactly the invalid values were reported."""
    values, invalid = submission
    if replayed:
        done = replay(folder, values)
    else:
        done = cookiecutter(folder, *(f"{name}={value}" for name, value in values.items()))
    assert not list(folder.rglob("*CANARY*"))
    if invalid:
        reported = set(re.findall(r"^  - (\w+) ", done.stderr, re.MULTILINE))
        created = created_paths(folder)
        assert (done.returncode, reported, created) == (1, invalid, []), done.stderr
        assert replayed or done.stderr.startswith("No project was generated. Please fix:\n")
        return None
    assert done.returncode == 0, done.stderr
    assert created_paths(folder) == [values["project_slug"]]
    return Project(folder / "work" / values["project_slug"])


def check_statically(project: Project, values: dict[str, Any]) -> None:
    """Fail unless every file parses, and the metadata contains `values`."""
    for name in project.files():
        text = project.read(name)
        if name.endswith(".py"):
            ast.parse(text)
        elif name.endswith((".yaml", ".yml")):
            assert list(yaml.safe_load_all(text))
    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert metadata["name"] == values["project_slug"]
    assert metadata["description"] == values["project_description"]
    author = {"name": values["author_name"], "email": values["author_email"]}
    assert metadata["authors"] == [author]
    check_style(project)


def fuzzing(examples: int) -> settings:
    """Return the settings for a number of examples: the same ones each time, if they are few."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=CONTEXTS <= 100,
        # Each example runs cookiecutter, which is too slow for finding the shortest one that fails.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("replayed", [True, False], ids=["replayed", "command_line"])
def test_random_values_are_accepted_or_rejected_by_name(replayed: bool) -> None:
    @fuzzing(CONTEXTS // 2)
    @given(submissions(replayed=replayed))
    def try_one(submission: Submission) -> None:
        with tempfile.TemporaryDirectory(prefix="prompts-") as folder:
            if project := submit(Path(folder), submission, replayed=replayed):
                check_statically(project, submission.values)

    try_one()


@pytest.mark.options
@pytest.mark.parametrize("layer", LAYERS)
def test_projects_with_random_values_pass(layer: str) -> None:
    @fuzzing(INSTALLED // 2)
    @given(submissions(replayed=True, may_be_invalid=False))
    def try_one(submission: Submission) -> None:
        submission.values["database_layer"] = layer
        with tempfile.TemporaryDirectory(prefix="prompts-") as folder:
            project = submit(Path(folder), submission, replayed=True)
            assert project
            run_checks(project)

    try_one()
