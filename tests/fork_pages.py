"""The steps of the pages in docs/customizing: files, changes and commands."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import TEMPLATE, Project
from git_repo import GitRepo, copy_history

FOLDER = TEMPLATE / "docs" / "customizing"
#: The pages in the order of the index.
PAGES = re.findall(
    r"^\d+\. \[.+\]\((.+)\.md\)$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
)
STEP = re.compile(
    r"^`(?P<file>[^`\n]+)`:\n\n```\w+\n(?P<content>.*?)^```$"
    r"|^```diff\n(?P<diff>.*?)^```$"
    r"|^```sh\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
IDENTITY = {
    f"GIT_{role}_{what}": "a@example.com"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
#: uv runs the environment of these tests, instead of installing one for each fork.
INSTALLED = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1"}


@dataclass(frozen=True)
class Step:
    """A file with its complete content, a change, or commands."""

    file: str | None
    content: str

    def apply(self, folder: Path, upstream: Path) -> None:
        """Take this step in `folder`; fail the test, and show the output, if that fails."""
        if self.file and self.file.endswith(".diff"):
            Project(folder).run("git", "apply", "-", stdin=self.content)
        elif self.file:
            path = folder / self.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.content, "utf-8")
        else:
            variables = {**IDENTITY, **INSTALLED, "TEMPLATE": str(upstream)}
            Project(folder).run("bash", "-euxc", self.content, variables=variables)


def read_steps(page: str) -> list[Step]:
    """Return the steps of a page."""
    text = (FOLDER / f"{page}.md").read_text("utf-8")
    return [
        Step(found["file"] or ("change.diff" if found["diff"] else None),
             found["content"] or found["diff"] or found["commands"])
        for found in STEP.finditer(text)
    ]  # fmt: skip


def take_steps(fork: GitRepo, page: str, *, without: int | None = None) -> None:
    """Take the steps of a page, except number `without`."""
    upstream = fork.path.parent / "upstream"
    for number, step in enumerate(read_steps(page)):
        if number != without:
            step.apply(fork.path, upstream)


def create_fork(folder: Path) -> GitRepo:
    """Create a fork in `folder` as the index describes, of a copy of this template."""
    copy_history(folder / "upstream")
    fork = GitRepo(folder / "fork")
    clone, *others = read_steps("README")
    clone.apply(folder, folder / "upstream")
    for step in others:
        step.apply(fork.path, folder / "upstream")
    return fork


skip_in_forks = pytest.mark.skipif(
    (TEMPLATE / "FORK.md").exists(), reason="FORK.md exists, and the pages change no fork"
)
