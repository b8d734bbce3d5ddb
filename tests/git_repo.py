"""Git repositories: generated projects, and copies of this template with its history."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import TEMPLATE, clean_environment


@dataclass(frozen=True)
class GitRepo:
    """A working directory under git."""

    path: Path

    def git(self, *arguments: str, may_fail: bool = False) -> str:
        """Run git with a fixed author and no user configuration, and return its output."""
        identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            identity |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.com"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=clean_environment(identity),
            capture_output=True,
            text=True,
            check=False,
        )
        assert may_fail or done.returncode == 0, done.stderr
        return done.stdout

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace the only occurrence of `old` in the file `name`."""
        file = self.path / name
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is in {name} {text.count(old)} times"
        file.write_text(text.replace(old, new), "utf-8")

    def commit(self, subject: str) -> str:
        """Commit all changes and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD").strip()

    def conflicts(self) -> set[str]:
        """Return the names of the files with merge conflicts."""
        return set(self.git("diff", "--name-only", "--diff-filter=U").split())


def copy_history(path: Path) -> GitRepo:
    """Clone this repository, and commit its uncommitted changes to the branch `main`."""
    if not (TEMPLATE / ".git").exists():
        pytest.skip("this is not a git repository")
    here, copy = GitRepo(TEMPLATE), GitRepo(path)
    here.git("clone", "--quiet", str(TEMPLATE), str(path))
    copy.git("checkout", "--quiet", "-B", "main")
    names = here.git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in names:
        source, target = TEMPLATE / name, path / name
        if name and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        elif name:
            target.unlink(missing_ok=True)
    copy.git("add", "--all")
    copy.git("commit", "--quiet", "--allow-empty", "--message", "Uncommitted changes")
    return copy


def release(template: GitRepo) -> None:
    """Release a version that changes one line in each of two files and adds one file."""
    source = GitRepo(template.path / "{{cookiecutter.project_slug}}")
    source.replace(".editorconfig", "root = true\n", "root = true\n# From the next version.\n")
    source.replace("README.md", "\n{{ cookiecutter.project_description }}\n", "\nNews.\n")
    (source.path / "app" / "news.py").write_text('"""New in the next version."""\n', "utf-8")
    template.commit("Release the next version")
    template.git("tag", "v99.0.0")
