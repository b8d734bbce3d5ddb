"""Jinja extension that validates the prompt values before anything is generated.

cookiecutter and cruft import it from the folder of `cookiecutter.json`, whose last variable applies
the filter `validated` to all values: invalid ones end the command before a folder exists. Values
from a replay file skip that variable, so `hooks/pre_gen_project.py` applies the filter
`validation_report` to them. The valid choices are read from `cookiecutter.json`.
"""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import cookiecutter
from jinja2 import Environment
from jinja2.ext import Extension

FOLDER = Path(__file__).parent
CONTEXT: dict[str, object] = json.loads((FOLDER / "cookiecutter.json").read_text("utf-8"))
PROMPTS = [name for name in CONTEXT if not name.startswith("_")]
#: Prompts with choices.
OPTIONS = [name for name in PROMPTS if isinstance(CONTEXT[name], bool | list)]
#: Variables that control rendering.
PRIVATE = [name for name in CONTEXT if name.startswith("_") and not name.startswith("__")]
#: Variables with an escaped value, by the name of the variable that they are derived from.
QUOTED = {name: f"__{name}_quoted" for name in PROMPTS if f"__{name}_quoted" in CONTEXT}
#: Names that cookiecutter or cruft adds, and two without an effect on the project.
IGNORED = {
    "_checkout",
    "_commit",
    "_output_dir",
    "_repo_dir",
    "_template",
    "__prompts__",
    "__validated",
}

MAX_LENGTHS = {
    "project_name": 80,
    "project_slug": 40,
    "project_description": 300,
    "author_name": 100,
    "author_email": 254,
}
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_WORD = r"[^\s@<>()\[\]\\\",;:.]+"
EMAIL = re.compile(rf"{_WORD}(\.{_WORD})*@{_WORD}(\.{_WORD})+")
# cookiecutter and cruft would evaluate this syntax when they read a recorded value again.
TEMPLATE_SYNTAX = re.compile(r"\{[%#{]|# jinja:")
JOINERS = "\u200c\u200d"
# Zero-width or blank characters outside the Unicode categories of control characters.
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"

WINDOWS_DEVICES = {"aux", "con", "nul", "prn"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}
RESERVED_DATABASES = {"postgres", "template0", "template1"}
# uv cannot resolve a project that has the name of one of its direct or indirect dependencies.
RESERVED_PACKAGES = set((FOLDER / "reserved_packages.txt").read_text("utf-8").split())

Values = Mapping[str, object]


class PromptValidation(Extension):
    """Filters that validate and list values of `cookiecutter`, and one that escapes for TOML."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["feature_files"] = (FOLDER / "feature_files.txt").read_text("utf-8")
        environment.filters["options"] = list_options
        environment.filters["quoted"] = escape_toml
        environment.filters["validated"] = exit_if_invalid
        environment.filters["validation_report"] = report
        # `cruft update` loads the old and the new version of this module in one process.
        sys.modules.pop(__name__, None)


def list_options(values: Values) -> str:
    """Return a line with the name and the value of each option, for the second hook."""
    return "\n".join(f"{name}={values[name]}" for name in OPTIONS)


def escape_toml(text: object) -> str:
    """Escape text for a basic string of TOML, in double quotes."""
    return str(text).replace("\\", "\\\\").replace('"', '\\"')


def exit_if_invalid(values: Values) -> str:
    """Return an empty string, or exit with status 1 and the report on standard error.

    For an exception, cookiecutter would print the report to standard output, and cruft a traceback.
    """
    # For a replay file without this variable, cookiecutter passes only the other missing ones.
    if all(name in values for name in PROMPTS) and (problems := report(values)):
        sys.exit(problems)
    return ""


def report(values: Values) -> str:
    """Return a headline and one line for each problem, in ASCII; an empty string if valid."""
    if is_outdated(values):
        version = cookiecutter.__version__
        return f"This template requires cookiecutter 2.7 or newer; this is {version}."
    problems = [
        f"  - {name} {shorten(values[name])} {problem}"
        for name, problem in [*find_problems(values), *find_changed_variables(values)]
    ]
    return "\n".join(["No project was generated. Please fix:", *problems]) if problems else ""


def is_outdated(values: Values) -> bool:
    """Return whether this cookiecutter is too old, and has passed booleans as text."""
    version = [int(number) for number in re.findall(r"\d+", cookiecutter.__version__)]
    booleans = [values[name] for name in PROMPTS if isinstance(CONTEXT[name], bool)]
    return version < [2, 7] and not all(isinstance(value, bool) for value in booleans)


def shorten(value: object) -> str:
    """Return the representation of `value` in at most 60 ASCII characters."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def find_problems(values: Values) -> Iterator[tuple[str, str]]:
    """Yield the name of each invalid prompt value, with a problem."""
    for name in PROMPTS:
        value, default = values[name], CONTEXT[name]
        if name in OPTIONS:
            choices = default if isinstance(default, list) else [True, False]
            # 1 == True, but renders as 1.
            if not any(value == choice and type(value) is type(choice) for choice in choices):
                yield name, f"must be one of: {', '.join(map(str, choices))}"
        elif not isinstance(value, str):
            yield name, "must be text (in YAML: in quotes)"
        elif name == "project_slug":
            yield from ((name, problem) for problem in validate_slug(value))
        else:
            problems = [*validate_text(value, MAX_LENGTHS[name])]
            if name == "author_email" and not problems and not EMAIL.fullmatch(value):
                problems = ["must be an e-mail address (e.g. you@example.com)"]
            yield from ((name, problem) for problem in problems)


def find_changed_variables(values: Values) -> Iterator[tuple[str, str]]:
    """Yield variables from a file that only the template may set, with the problem."""
    for name, quoted in QUOTED.items():
        if values[quoted] != escape_toml(values[name]):
            yield quoted, f"is not derived from {name}; remove it from the file"
    for name, value in values.items():
        if name in PRIVATE and value != CONTEXT[name]:
            yield name, "differs from the value of the template; remove it from the file"
        elif name.startswith("_") and name not in {*PRIVATE, *QUOTED.values(), *IGNORED}:
            yield name, "is unknown to the template; remove it from the file"


def validate_slug(slug: str) -> Iterator[str]:
    """Yield the problem of a project slug, if it has one."""
    reserved = {
        "the name of a package that the project depends on": RESERVED_PACKAGES,
        "a device name on Windows": WINDOWS_DEVICES,
        "reserved by PostgreSQL": RESERVED_DATABASES,
    }
    if not SLUG.fullmatch(slug):
        yield (
            "must be lower-case words joined by hyphens, starting with a letter (e.g. my-service)"
        )
    elif len(slug) > MAX_LENGTHS["project_slug"]:
        yield f"has {len(slug)} characters; at most {MAX_LENGTHS['project_slug']} are allowed"
    for reason, names in reserved.items():
        if slug in names:
            yield f"is {reason} (use e.g. {slug}-service)"


def validate_text(text: str, max_length: int) -> Iterator[str]:
    """Yield the problems of free text."""
    if not text:
        yield "must not be empty"
    elif text != text.strip():
        yield "must not start or end with whitespace"
    if len(text) > max_length:
        yield f"has {len(text)} characters; at most {max_length} are allowed"
    neighbors = zip(["", *text], text, [*text[1:], ""], strict=False)
    if found := sorted({f"U+{ord(near[1]):04X}" for near in neighbors if is_disallowed(*near)}):
        yield f"contains {', '.join(found[:5])}; use one line of printable characters"
    if syntax := TEMPLATE_SYNTAX.search(text):
        yield f"contains template syntax ({syntax[0]})"


def is_disallowed(before: str, char: str, after: str) -> bool:
    """Return whether `char` ends a line, is invisible, or changes the order of other characters."""
    if char in JOINERS and before and after:
        # Emoji sequences and Persian or Indic words need them; between other letters they hide.
        joins_before = unicodedata.category(before) in {"Mn", "Sk", "So"}
        is_arabic = unicodedata.bidirectional(before) == "AL"
        return not (joins_before or is_arabic or unicodedata.category(after) == "Mn")
    is_noncharacter = ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF
    is_control = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return is_noncharacter or is_control or char in INVISIBLE
