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
    stopping in steps; strangers; told so; what cannot be; what is not there; whatever;
    whoever; whomever
""".replace("\n", " ")
# Words are also found in identifiers and across two lines, but not after a quote, or as a part
# of a value: `nobody` is a Unix account, and an example of a name.
WORDS = "|".join(
    r"[\s_#]+".join(words.split()) for words in sorted(BANNED.split(";"), key=len, reverse=True)
)
PATTERN = re.compile(rf"(?<![a-z\"'`=/-])(?:{WORDS})(?![a-z])", re.IGNORECASE)

SUFFIXES = {".md", ".mako", ".py", ".toml", ".yaml", ".yml", ".json", ".example", ""}
# Licenses, measured results, and this list.
EXCLUDED = ("LICENSE", "benchmarks/results/", "templates/licenses/", "tests/test_language.py")
# Parts that may contain any word: released history, the glossary, and the Unix account `nobody`.
EXCEPTIONS = {
    "CHANGELOG.md": re.compile(r"^## \[0\.1\.1\].*", re.MULTILINE | re.DOTALL),
    "CONTRIBUTING.md": re.compile(r"^## Glossary$.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL),
    "embedded_server.py": re.compile("nobody"),
    "run_program.py": re.compile("chown_to_nobody"),
    "signing_secrets.py": re.compile("nobody"),
}


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
    """Return the text of a file without its exceptions, with the same line numbers."""
    text = path.read_text("utf-8")
    exception = EXCEPTIONS.get(path.name)
    return exception.sub(lambda found: "\n" * found[0].count("\n"), text) if exception else text


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
