"""Whatever is answered ends in a good project, or in a list of all that is wrong with it."""

import ast
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from conftest import LAYERS, Project
from cookiecutter_cli import cookiecutter, created_paths, replay
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from matrix import CHOICES
from rendered_hooks import FREE_TEXT
from test_generated_projects import check
from test_rendering import check_style

pytestmark = pytest.mark.slow

#: Half of them are replayed, half come from the command line.
SETS = int(os.environ.get("FUZZ_PROMPTS", "100"))
INSTALLED = max(6, SETS // 40)

HOSTILE = [
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
# Zero-width or blank, though not of a category that says so.
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
ONLY_IN_FILES = ["\ud800", "\udfff", "{{", "{%", "{#", "# jinja:"]

plain = st.characters(
    exclude_categories=["Cc", "Cf", "Cn", "Cs", "Zl", "Zp"], exclude_characters=INVISIBLE
)
words = st.lists(st.text(plain, max_size=8) | st.sampled_from(HOSTILE), min_size=1, max_size=6)
good_text = (
    words.map("".join)
    .map(str.strip)
    .filter(lambda text: text and not re.search(r"\{[{%#]|# jinja:", text) and len(text) <= 80)
)
# No package has a name that begins so.
good_slug = st.from_regex(r"\Ax-[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,2}\Z")
bad_slug = st.sampled_from([
    *("1a", "A", "a_b", "a--b", "con", "fastapi", "postgres", "\u00e9", "~", ".", "..", "a" * 300),
    *("a/b", "../a/b", "/a/b", "_"),
])  # fmt: skip
good_email = st.sampled_from(["a@b.cd", "ada+x@example.com", "o'neil@example.org", "é@exämple.de"])


def invalid_values(text: st.SearchStrategy[str], marks: list[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda a, mark, b: f"{a}{mark}{b}", text, st.sampled_from(marks), text)


class Answers(NamedTuple):
    """Answers, and the names of those that must be refused."""

    given: dict[str, Any]
    wrong: set[str]


@st.composite
def answers(draw: st.DrawFn, *, replayed: bool, may_be_wrong: bool = True) -> Answers:
    """All answers; on a command line only such as cookiecutter passes on."""
    marks = UNPRINTABLE + ONLY_IN_FILES if replayed else UNPRINTABLE[1:]
    other_types = st.sampled_from([None, True, 7, ["a"], {"a": "b"}] if replayed else [""])
    bad_text = invalid_values(good_text, marks) | st.just("x" * 400) | other_types
    good = dict.fromkeys(FREE_TEXT, good_text) | {
        "author_email": good_email,
        "project_slug": good_slug,
    }
    bad = dict.fromkeys(FREE_TEXT, bad_text) | {"project_slug": bad_slug}
    good |= {name: st.sampled_from(values) for name, values in CHOICES.items()}
    if replayed:
        bad |= dict.fromkeys(CHOICES, st.sampled_from(["", "yes", None, 3, "other", ["MIT"]]))
    wrong = draw(st.just(set()) | st.sets(st.sampled_from(sorted(bad)), max_size=4))
    wrong = wrong if may_be_wrong else set()
    return Answers({name: draw((bad if name in wrong else good)[name]) for name in good}, wrong)


def submit(folder: Path, answered: Answers, *, replayed: bool) -> Project | None:
    """The project that comes of it, or nothing; fails when nothing is right about neither."""
    if replayed:
        done = replay(folder, answered.given)
    else:
        done = cookiecutter(folder, *(f"{name}={value}" for name, value in answered.given.items()))
    assert not list(folder.rglob("*CANARY*"))
    if answered.wrong:
        named = set(re.findall(r"^  - (\w+) ", done.stderr, re.MULTILINE))
        assert (done.returncode, named, created_paths(folder)) == (1, answered.wrong, []), (
            done.stderr
        )
        return None
    assert done.returncode == 0, done.stderr
    assert created_paths(folder) == [answered.given["project_slug"]]
    return Project(folder / "work" / answered.given["project_slug"])


def check_statically(project: Project, given: dict[str, Any]) -> None:
    """Fail unless every file parses, and says what was answered."""
    for name in project.files():
        text = project.read(name)
        if name.endswith(".py"):
            ast.parse(text)
        elif name.endswith((".yaml", ".yml")):
            assert list(yaml.safe_load_all(text))
    metadata = tomllib.loads(project.read("pyproject.toml"))["project"]
    assert metadata["name"] == given["project_slug"]
    assert metadata["description"] == given["project_description"]
    author = {"name": given["author_name"], "email": given["author_email"]}
    assert metadata["authors"] == [author]
    check_style(project)


def fuzzing(examples: int) -> settings:
    """So many answers: the same each time, but in the long form."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=SETS <= 100,
        # An answer is too slow to look for the shortest one that fails.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("replayed", [True, False], ids=["replayed", "command_line"])
def test_any_answers_are_taken_or_refused_for_every_reason_there_is(replayed: bool) -> None:
    @fuzzing(SETS // 2)
    @given(answers(replayed=replayed))
    def try_it(answered: Answers) -> None:
        with tempfile.TemporaryDirectory(prefix="answers-") as folder:
            if project := submit(Path(folder), answered, replayed=replayed):
                check_statically(project, answered.given)

    try_it()


@pytest.mark.parametrize("layer", LAYERS)
def test_accepted_answers_make_projects_that_are_green(layer: str) -> None:
    @fuzzing(INSTALLED // 2)
    @given(answers(replayed=True, may_be_wrong=False))
    def try_it(answered: Answers) -> None:
        answered.given["database_layer"] = layer
        with tempfile.TemporaryDirectory(prefix="answers-") as folder:
            project = submit(Path(folder), answered, replayed=True)
            assert project
            check(project)

    try_it()
