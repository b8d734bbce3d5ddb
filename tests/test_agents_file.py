"""AGENTS.md and the guides of a project refer only to paths, targets and headings that exist."""

import re
import tomllib
from pathlib import Path

import pytest
from conftest import Bake, Project
from matrix import SERVICE_OPTIONS, combinations, label

REQUIRED_TARGETS = {"format", "lint", "migrate", "revision", "test"}
PATH = re.compile(r"[\w.-]+/[\w./-]*|\.?[\w-]+\.(?:md|py|toml|example)")
LINK = re.compile(r"\]\((?P<target>[^)#:]*)(?:#(?P<fragment>[^)]*))?\)")


@pytest.fixture(params=combinations(SERVICE_OPTIONS), ids=label)
def project(request: pytest.FixtureRequest, bake: Bake) -> Project:
    """Return a generated project, for each combination of the options of the service."""
    return bake(**request.param, kubernetes=True)


def quoted_words(text: str) -> set[str]:
    """Return the words of all code spans in a Markdown text."""
    return {word for span in re.findall(r"`([^`]+)`", text) for word in span.split()}


def heading_anchors(text: str) -> set[str]:
    """Return the fragments that GitHub and GitLab give to the headings of a Markdown text."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def is_broken(link: re.Match[str], page: Path) -> bool:
    """Return whether a link of `page` leads to no file, or to no heading of it."""
    target = page.parent / link["target"] if link["target"] else page
    if not target.exists():
        return True
    fragment = link["fragment"]
    return bool(fragment) and fragment not in heading_anchors(target.read_text("utf-8"))


def test_paths_in_agents_file_exist(project: Project) -> None:
    paths = {word for word in quoted_words(project.read("AGENTS.md")) if PATH.fullmatch(word)}

    assert {"app/api/routes/", "docs/add-a-resource.md", "tests/"} <= paths
    assert [path for path in paths if not (project.path / path).exists()] == []


def test_make_targets_in_agents_file_exist(project: Project) -> None:
    targets = set(re.findall(r"^([a-z]+):", project.read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", project.read("AGENTS.md")))

    assert REQUIRED_TARGETS <= named <= targets


def test_agents_file_is_short_and_states_the_required_coverage(project: Project) -> None:
    text = project.read("AGENTS.md")
    coverage = tomllib.loads(project.read("pyproject.toml"))["tool"]["coverage"]["report"]

    assert len(text.splitlines()) <= 60
    assert f"less than {coverage['fail_under']}%" in text


def test_links_between_guides_lead_to_a_heading(project: Project) -> None:
    links = [
        (name, link)
        for name in sorted(project.files())
        if name.endswith(".md")
        for link in LINK.finditer(project.read(name))
    ]

    assert links
    broken = [f"{name}: {link[0]}" for name, link in links if is_broken(link, project.path / name)]
    assert broken == []
