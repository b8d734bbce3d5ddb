"""The hooks, loaded as cookiecutter renders them and fed what cookiecutter may hand them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import LAYERS, Bake
from matrix import OPTIONS
from rendered_hooks import TEXTS, load_hook, render_hook


def problems_with(folder: Path, **answers: object) -> list[str]:
    hook = load_hook(folder, "pre_gen_project", **answers)
    problems: list[str] = hook.judge(hook.ANSWERS, hook.LENGTHS)
    return problems


HOSTILE = [
    "'''", '"""', "''' + open('canary', 'w').name + '''", "\\", "\\'''", "\\\\'''", "'", "#", "{0}",
    "\x00", "\x1f\x7f", "a\nb", "\r", "\x85", "\u2028\u2029", "\ud800", "\ude00\ud83d", "😀",
    "\ufffe", "{{ 1 }}", "{% raw %}", "{# x #}", "</script>", "$(touch canary)", "`touch canary`",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_answers_reach_the_judge_as_data_and_unchanged(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    answers = load_hook(tmp_path, "pre_gen_project", project_description=text).ANSWERS

    # A lone surrogate has no place in a report of pytest.
    assert ascii(answers["project_description"]) == ascii(text)
    assert render_hook("pre_gen_project", project_description=text).isascii()
    assert not (tmp_path / "canary").exists()


def test_free_text_does_not_reach_the_last_hook() -> None:
    words = {name: f"xyzzy {name}" for name in TEXTS}

    assert "xyzzy" not in render_hook("post_gen_project", **words)


def test_the_default_answers_are_good(tmp_path: Path) -> None:
    assert problems_with(tmp_path) == []


@pytest.mark.parametrize(
    "slug",
    ["a", "x1", "class", "test", "app", "my-service-2", "print", "a" * 40],
)
def test_a_name_that_breaks_nothing_is_taken(slug: str, tmp_path: Path) -> None:
    assert problems_with(tmp_path, project_slug=slug) == []


@pytest.mark.parametrize(
    ("slug", "advice"),
    [
        *((slug, "like my-service") for slug in (
            "", "1app", "My-Service", "my_service", "a--b", "-a", "a-", "../up", "a/b", "a b",
            "a\n", "é", "aux.txt", "C:", "~", ".", "a" * 41 + "_",
        )),
        ("a" * 41, "at most 40"),
        *((slug, f"like {slug}-service") for slug in (
            "fastapi", "databases", "pytest", "starlette", "con", "nul", "com1", "lpt9", "postgres",
            "template1",
        )),
    ],
)  # fmt: skip
def test_a_bad_name_is_refused_with_what_to_type_instead(
    slug: str, advice: str, tmp_path: Path
) -> None:
    [problem] = problems_with(tmp_path, project_slug=slug)

    assert problem.startswith("project_slug ")
    assert advice in problem


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "type something"),
        (" a@b.c", "without"),
        ("a" * 301, "type at most"),
        *((f"a{char}b", "one line of printable text") for char in (
            "\x00", "\t", "\n", "\r", "\x7f", "\x85", "\u2028", "\u2029", "\ud800",
            "\ufffe", "\ufdd0", "\xad", "\u061c", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
            "\u202a", "\u202e", "\u2060", "\u2066", "\u2069", "\u3164", "\ufeff", "\U000e0041",
        )),
        *((f"a{code}b", "leave it out") for code in ("{{", "{%", "{#", "# jinja:")),
    ],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_bad_text_is_refused_with_what_to_type_instead(
    name: str, text: str, advice: str, tmp_path: Path
) -> None:
    [problem] = problems_with(tmp_path, **{name: text})

    assert problem.startswith(f"{name} ")
    assert advice in problem
    assert problem.isascii()


def test_an_emoji_in_two_halves_is_refused_and_a_whole_one_is_not(tmp_path: Path) -> None:
    [problem] = problems_with(tmp_path, author_name="\ud83d\ude00")

    assert "half characters" in problem
    assert problems_with(tmp_path, author_name="😀") == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0915\u094d\u200d\u0937",
            "\u09b0\u200d\u09cd\u09af",
        ),
        *(
            "\U0001f469\U0001f3fd\u200d\U0001f4bb",
            "\u2764\ufe0f\u200d\U0001f525",
            "\u05e9\u05dc\u05d5\u05dd",
        ),
    ],
    ids=ascii,
)
def test_joiners_are_accepted_where_a_script_or_an_emoji_needs_them(
    text: str, tmp_path: Path
) -> None:
    assert problems_with(tmp_path, author_name=text) == []


@pytest.mark.parametrize(
    "text", ["\u200da", "a\u200d", "a\u200cb", "\U0001f600\u200d\u200db"], ids=ascii
)
def test_joiners_that_join_nothing_are_refused(text: str, tmp_path: Path) -> None:
    [problem] = problems_with(tmp_path, author_name=text)

    assert "contains U+200" in problem


@pytest.mark.parametrize(
    "email", ["ada", "ada@host", "@b.c", "a b@c.de", "A <a@b.c>", "a@b@c.de", "a@b.cd, e@f.gh"]
)
def test_an_address_that_no_mail_reaches_is_refused(email: str, tmp_path: Path) -> None:
    assert "like you@example.com" in problems_with(tmp_path, author_email=email)[0]


@pytest.mark.parametrize("value", [None, True, 1, ["a"], {"a": 1}])
@pytest.mark.parametrize("name", [*TEXTS, "project_slug", "database_layer", "license"])
def test_an_answer_of_another_type_is_refused(name: str, value: object, tmp_path: Path) -> None:
    assert len(problems_with(tmp_path, **{name: value})) == 1


def test_a_private_value_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    [problem] = problems_with(tmp_path, __author_name_quoted='"; evil = "')

    assert "__author_name_quoted" in problem


def test_all_problems_are_reported_at_once_in_plain_ascii(tmp_path: Path) -> None:
    answers = {"project_slug": "1ä", "author_name": "\ud800😀", "license": "é", "example": "yes"}
    hook, empty = tmp_path / "hook.py", tmp_path / "empty"
    hook.write_text(render_hook("pre_gen_project", **answers), "utf-8")
    empty.mkdir()

    done = subprocess.run([sys.executable, hook], cwd=empty, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.isascii()
    assert re.findall(rb"^  - (\w+)", done.stderr, re.MULTILINE) == [
        b"author_name", b"project_slug", b"example", b"license",
    ]  # fmt: skip


def test_the_hook_knows_the_same_choices_as_the_questions(tmp_path: Path) -> None:
    choices = load_hook(tmp_path, "pre_gen_project").CHOICES

    assert choices == OPTIONS


def test_no_project_may_have_the_name_of_a_package_that_it_needs(
    tmp_path: Path, bake: Bake
) -> None:
    packages = load_hook(tmp_path, "pre_gen_project").PACKAGES

    for layer in LAYERS:
        project = tomllib.loads(bake(database_layer=layer).read("pyproject.toml"))
        needs = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
        assert {re.split(r"[^\w-]", need)[0] for need in needs} <= packages
