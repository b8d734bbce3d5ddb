"""A release of this template is merged into a fork with changes of its pages."""

import re
import sys
from pathlib import Path

import pytest
from conftest import SOURCES, Project, needs_two_layers
from fork_pages import create_fork, read_steps, skip_in_forks, take_steps
from forks import HEADER, run_fast_tests
from git_repo import GitRepo

pytestmark = [skip_in_forks, needs_two_layers, pytest.mark.slow, pytest.mark.forks]

CHANGES = ["other-defaults", "add-an-option", "remove-a-database-layer", "header"]
CONFIG = "cookiecutter.json"
REMOVED = f"{SOURCES.name}/_variants/databases/app/db/__init__.py"
CONFLICT = re.compile(r"^<{7} .*\n((?:.*\n)*?)={7}\n((?:.*\n)*?)>{7} ", re.MULTILINE)
#: A module of the new version that is discovered, so that no other file imports it.
NEWS = "app/components/news.py"
NEWS_COMPONENT = '''"""News."""

from app.components import Component

component = Component()
'''


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def insert_after(upstream: GitRepo, name: str, pattern: str, line: str) -> None:
    """Insert a line after the first one that matches."""
    text = (upstream.path / name).read_text("utf-8")
    found = re.search(rf"^{pattern}.*\n", text, re.MULTILINE)
    assert found, f"{pattern} is not in {name}"
    text = f"{text[: found.end()]}{line}\n{text[found.end() :]}"
    (upstream.path / name).write_text(text, "utf-8")


def release_next_version(upstream: GitRepo) -> None:
    """Release a made-up version with a new option, and changes of what the fork changes."""
    insert_after(upstream, CONFIG, '    "example":', '    "news": true,')
    insert_after(upstream, CONFIG, '        "example":', '        "news": "Include news",')
    insert_after(upstream, "README.md", r"\| `example` \|", "| `news` | |")
    insert_after(upstream, "docs/options.md", r"\| `example` \|", f"| `news` | | `{NEWS}` |")
    insert_after(upstream, "feature_files.txt", "# of an overlay", f"\n[news=true]\n{NEWS}")
    insert_after(upstream, "tests/matrix.py", '    "example",', '    "news",')
    upstream.replace(CONFIG, '"Your Name"', '"Your Full Name"')
    source = upstream.path / SOURCES.name
    (source / NEWS).write_text(NEWS_COMPONENT, "utf-8")
    append(source / "app" / "main.py", "\n\n# From the next version.\n")
    append(upstream.path / REMOVED, "\n# From the next version.\n")
    Project(upstream.path).run(sys.executable, "scripts/update_readme.py")
    upstream.commit("Release the next version")


def test_release_conflicts_only_where_both_sides_changed_the_same_line(tmp_path: Path) -> None:
    fork = create_fork(tmp_path)
    for page in CHANGES:
        take_steps(fork, page)
    release_next_version(GitRepo(tmp_path / "upstream"))
    merge, resolve = read_steps("take-a-release")

    with pytest.raises(pytest.fail.Exception):
        merge.apply(fork.path, tmp_path / "upstream")

    assert fork.conflicts() == {CONFIG, "README.md", REMOVED}
    config, readme = ((fork.path / name).read_text("utf-8") for name in (CONFIG, "README.md"))
    assert CONFLICT.findall(config) == [
        ('    "author_name": "The Team",\n', '    "author_name": "Your Full Name",\n')
    ]
    # Both sides have one more prompt, so the numbers in the session differ.
    outside = re.sub(
        r"^<!-- session.*?^<!-- /session -->", "", readme, flags=re.MULTILINE | re.DOTALL
    )
    assert not CONFLICT.search(outside)

    # As the page describes.
    fork.git("rm", "-r", "--quiet", f"{SOURCES.name}/_variants/databases")
    (fork.path / CONFIG).write_text(
        re.sub(CONFLICT.pattern + ".*\\n", r"\1", config, flags=re.MULTILINE), "utf-8"
    )
    resolve.apply(fork.path, tmp_path / "upstream")

    assert fork.conflicts() == set()
    assert (fork.path / SOURCES.name / NEWS).read_text("utf-8").startswith(HEADER)
    run_fast_tests(fork)
