"""Links between the template's pages work, and the messages and code that they quote exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import SOURCES, TEMPLATE

FOLDERS = ("docs", "docs/customizing", "docs/decisions")
DOCUMENTS = [path for folder in (".", *FOLDERS) for path in (TEMPLATE / folder).glob("*.md")]
# Messages of shells, Python and the operating system that docs/troubleshooting.md quotes.
OTHER_PROGRAMS = {
    "No such file or directory:",
    "uv: command not found",
    "make: uv: No such file or directory",
    "No module named 'dev'",
}


def without_code_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub generates for the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", without_code_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> Iterator[str]:
    """Yield the relative links of a page whose file or anchor does not exist."""
    text = without_code_blocks(document.read_text("utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        is_external = "://" in link
        if is_external:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            yield link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_lead_to_files_and_headings(document: Path) -> None:
    assert list(broken_links(document)) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`-c\n[1](#a-b-c) [2](#a-b) [3](page.md#d) [4](no.md) [5](page.md)", "utf-8"
    )
    assert list(broken_links(page)) == ["#a-b", "page.md#d", "no.md"]


def test_index_lists_every_page() -> None:
    for folder in FOLDERS:
        index = (TEMPLATE / folder / "README.md").read_text("utf-8")
        pages = {path.name for path in (TEMPLATE / folder).glob("*.md")} - {"README.md"}
        assert pages <= set(re.findall(r"\]\(([^)/]+)\)", index)), folder


def messages_in_sources() -> str:
    """Return the text of all strings of the hooks and the project, with \0 for expressions."""
    paths = [*TEMPLATE.glob("*.py"), *TEMPLATE.glob("hooks/*.py"), *SOURCES.rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    constants = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return "\0".join(text for text in constants if isinstance(text, str))


def test_troubleshooting_quotes_messages_that_exist() -> None:
    # Other headings describe a symptom, or quote another program, which they name in parentheses.
    page = (TEMPLATE / "docs/troubleshooting.md").read_text("utf-8")
    headings = re.findall(r"^### (`[^`]*`(?:, or `[^`]*`)?)$", page, re.MULTILINE)
    quoted = re.findall(r"`([^`]+)`", " ".join(headings))
    parts = [part.strip() for message in quoted for part in message.split("...")]
    sources = messages_in_sources()

    assert len(parts) > 15
    assert [part for part in parts if part not in sources and part not in OTHER_PROGRAMS] == []


def test_architecture_quotes_code_that_exists() -> None:
    page = (TEMPLATE / "docs/architecture.md").read_text("utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    routes = (SOURCES / "app/api/routes/articles.py").read_text("utf-8")

    assert snippets
    assert all(snippet in routes for snippet in snippets)
