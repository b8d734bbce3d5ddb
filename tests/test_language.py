"""Words that are never right in this repository; CONTRIBUTING.md has the terms to use instead."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from conftest import TEMPLATE

BANNED = """
    a person; anew; anybody; beside; besides; everybody; for ever; gave way; gives way; hand
    over; handed over; hands over; in vain; is good for; is no good; judge; judged; judges;
    likewise; looked at again; meanwhile; merely; moment; moments; nobody; of its own; of
    their own; processor time; said so; says so; silent server; somebody; stop in steps;
    stopping in steps; strangers; thrown away; told so; what cannot be; what is not there;
    whatever; whoever; whomever
""".replace("\n", " ")
# `nobody` in quotes is the Unix account. Words are also found in identifiers and across two lines.
WORDS = "|".join(
    r"[\s_#]+".join(words.split()) for words in sorted(BANNED.split(";"), key=len, reverse=True)
)
PATTERN = re.compile(rf"(?<![a-z\"'`])(?:{WORDS})(?![a-z])", re.IGNORECASE)

SUFFIXES = {".md", ".mako", ".py", ".toml", ".yaml", ".yml", ".json", ".example", ""}
# Licenses, measured results, and this list.
EXCLUDED = ("LICENSE", "benchmarks/results/", "templates/licenses/", "tests/test_language.py")
# What a document is checked up to, or without: history is not rewritten.
HISTORY = re.compile(r"^## \[0\.1\.1\].*", re.MULTILINE | re.DOTALL)
GLOSSARY = re.compile(r"^## Glossary$.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def sources() -> Iterator[Path]:
    """Yield the files that are tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=TEMPLATE, capture_output=True, check=True)
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        path = TEMPLATE / name
        is_text = path.suffix in SUFFIXES and path.is_file() and not path.is_symlink()
        if is_text and not name.startswith(EXCLUDED) and path.name != "LICENSE":
            yield path


def checked_text(path: Path) -> str:
    """Return a file with the parts that may contain any word blanked out, line by line."""
    text = path.read_text("utf-8")
    for part in {"CHANGELOG.md": [HISTORY], "CONTRIBUTING.md": [GLOSSARY]}.get(path.name, []):
        text = part.sub(lambda found: "\n" * found[0].count("\n"), text)
    return text


def find_banned_words(text: str) -> list[tuple[int, str]]:
    """Return the line number and the text of each banned word."""
    return [(text.count("\n", 0, found.start()) + 1, found[0]) for found in PATTERN.finditer(text)]


def test_no_source_contains_a_banned_word() -> None:
    hits = [
        f"{path.relative_to(TEMPLATE).as_posix()}:{line}: {words!r}"
        for path in sources()
        for line, words in find_banned_words(checked_text(path))
    ]
    assert not hits, "\n".join(hits)


def test_banned_words_are_found_in_identifiers_and_across_lines() -> None:
    text = "def test_nobody_is_nobody():\n    # two words in\n    # vain, and `nobody`\n"
    assert find_banned_words(text) == [(1, "nobody"), (1, "nobody"), (2, "in\n    # vain")]
