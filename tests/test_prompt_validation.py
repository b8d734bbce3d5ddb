"""The rules for prompt values, and what the extension and the hooks do with them."""

import re
import tomllib
from pathlib import Path

import pytest
from conftest import LAYERS, Bake
from matrix import EVERYTHING
from rendered_hooks import FREE_TEXT, find_problems, load_hook, render, render_hook

from prompt_validation import RESERVED_PACKAGES

TRICKY_TEXT = [
    "'''", '"""', "''' + open('canary', 'w').name + '''", "\\", "\\'''", "\\\\'''", "'", "#", "{0}",
    "\x00", "\x1f\x7f", "a\nb", "\r", "\x85", "\u2028\u2029", "\ud800", "\ude00\ud83d", "😀",
    "\ufffe", "{{ 1 }}", "{% raw %}", "{# x #}", "</script>", "$(touch canary)", "`touch canary`",
]  # fmt: skip


@pytest.mark.parametrize("text", TRICKY_TEXT, ids=ascii)
def test_text_reaches_the_first_hook_as_data(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    # An invalid author, so that every text is in a report.
    report = load_hook(tmp_path, "pre_gen_project", author_email=f"{text}@").REPORT

    assert report == render("{{ cookiecutter | validation_report }}", author_email=f"{text}@")
    assert render_hook("pre_gen_project", author_email=f"{text}@").isascii()
    assert not (tmp_path / "canary").exists()


def test_free_text_does_not_reach_the_last_hook() -> None:
    words = {name: f"xyzzy {name}" for name in FREE_TEXT}

    assert "xyzzy" not in render_hook("post_gen_project", **words)


def test_default_values_are_valid() -> None:
    assert find_problems() == []


@pytest.mark.parametrize(
    "slug",
    ["a", "x1", "class", "test", "app", "my-service-2", "print", "a" * 40],
)
def test_valid_slug_is_accepted(slug: str) -> None:
    assert find_problems(project_slug=slug) == []


@pytest.mark.parametrize(
    ("slug", "advice"),
    [
        *((slug, "(e.g. my-service)") for slug in (
            "", "1app", "My-Service", "my_service", "a--b", "-a", "a-", "../up", "a/b", "a b",
            "a\n", "é", "aux.txt", "C:", "~", ".", "..", "_", "a" * 41 + "_", "a\0b",
        )),
        ("a" * 41, "at most 40"),
        *((slug, f"(use e.g. {slug}-service)") for slug in (
            "fastapi", "databases", "pytest", "starlette", "con", "nul", "com1", "lpt9", "postgres",
            "template1",
        )),
    ],
)  # fmt: skip
def test_invalid_slug_is_rejected_with_advice(slug: str, advice: str) -> None:
    [problem] = find_problems(project_slug=slug)

    assert problem.startswith("project_slug ")
    assert advice in problem


@pytest.mark.parametrize("name", FREE_TEXT)
@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "must not be empty"),
        (" a@b.c", "whitespace"),
        ("a" * 301, "at most"),
        *((f"a{char}b", "one line of printable characters") for char in (
            "\x00", "\t", "\n", "\r", "\x7f", "\x85", "\u2028", "\u2029", "\ud800",
            "\ufffe", "\ufdd0", "\xad", "\u061c", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
            "\u202a", "\u202e", "\u2060", "\u2066", "\u2069", "\u3164", "\ufeff", "\U000e0041",
        )),
        *((f"a{code}b", "template syntax") for code in ("{{", "{%", "{#", "# jinja:")),
    ],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_invalid_text_is_rejected_with_advice(name: str, text: str, advice: str) -> None:
    [problem] = find_problems(**{name: text})

    assert problem.startswith(f"{name} ")
    assert advice in problem
    assert problem.isascii()


def test_surrogate_halves_of_an_emoji_are_rejected() -> None:
    [problem] = find_problems(author_name="\ud83d\ude00")

    assert "contains U+D83D, U+DE00" in problem
    assert find_problems(author_name="😀") == []


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
def test_joiners_are_accepted_where_a_script_or_an_emoji_needs_them(text: str) -> None:
    assert find_problems(author_name=text) == []


@pytest.mark.parametrize(
    "text", ["\u200da", "a\u200d", "a\u200cb", "\U0001f600\u200d\u200db"], ids=ascii
)
def test_other_joiners_are_rejected(text: str) -> None:
    [problem] = find_problems(author_name=text)

    assert "contains U+200" in problem


@pytest.mark.parametrize(
    "email", ["ada", "ada@host", "@b.c", "a b@c.de", "A <a@b.c>", "a@b@c.de", "a@b.cd, e@f.gh"]
)
def test_invalid_email_is_rejected(email: str) -> None:
    assert "(e.g. you@example.com)" in find_problems(author_email=email)[0]


@pytest.mark.parametrize("value", [None, True, 1, ["a"], {"a": 1}])
@pytest.mark.parametrize("name", [*FREE_TEXT, "project_slug", "database_layer", "license"])
def test_value_of_another_type_is_rejected(name: str, value: object) -> None:
    assert len(find_problems(**{name: value})) == 1


@pytest.mark.parametrize("value", [1, 0, "True", "yes", None])
def test_boolean_of_another_type_is_rejected(value: object) -> None:
    [problem] = find_problems(example=value)

    assert problem.endswith("must be one of: True, False")


def test_quoted_text_that_differs_from_its_source_is_rejected() -> None:
    [problem] = find_problems(__author_name_quoted='"; evil = "')

    assert problem.startswith("__author_name_quoted ")


def test_all_problems_are_reported_in_ascii_and_in_the_order_of_the_prompts() -> None:
    values = {"project_slug": "1ä", "author_name": "\ud800😀", "license": "é", "example": "yes"}

    problems = find_problems(**values)

    assert "".join(problems).isascii()
    names = [problem.split()[0] for problem in problems]
    assert names == ["project_slug", "author_name", "example", "license"]


def test_replay_file_without_the_extension_is_rejected(tmp_path: Path) -> None:
    hook = load_hook(tmp_path, "pre_gen_project", _extensions=[], author_email="nope")

    assert hook.REPORT == "No project was generated: the replay file changes _extensions."


def test_partial_values_of_a_replay_are_left_to_the_hook() -> None:
    assert render("{{ {'author_email': 'nope'} | validated }}") == ""
    with pytest.raises(SystemExit):
        render("{{ cookiecutter | validated }}", author_email="nope")


def test_slugs_of_direct_dependencies_are_reserved(bake: Bake) -> None:
    for layer in LAYERS:
        project = tomllib.loads(bake(**EVERYTHING, database_layer=layer).read("pyproject.toml"))
        needs = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
        names = {re.split(r"[^\w-]", need)[0] for need in needs}
        missing = names - RESERVED_PACKAGES
        assert not missing, "add these to reserved_packages.txt"
