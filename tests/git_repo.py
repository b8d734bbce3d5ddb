"""Folders under git: projects, and copies of this template with its history."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import TEMPLATE, clean_environment


@dataclass(frozen=True)
class Repository:
    """A folder under git."""

    path: Path

    def git(self, *arguments: str, may_fail: bool = False) -> str:
        person = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            person |= {f"GIT_{role}_NAME": "A Person", f"GIT_{role}_EMAIL": "person@example.com"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=clean_environment(person),
            capture_output=True,
            text=True,
            check=False,
        )
        assert may_fail or done.returncode == 0, done.stderr
        return done.stdout

    def change(self, name: str, old: str, new: str) -> None:
        file = self.path / name
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is in {name} {text.count(old)} times"
        file.write_text(text.replace(old, new), "utf-8")

    def commit(self, subject: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD").strip()


def copy_history(path: Path) -> Repository:
    """This repository's history, with what is not committed yet as the last commit of `main`."""
    if not (TEMPLATE / ".git").exists():
        pytest.skip("this is not a git repository")
    here, copy = Repository(TEMPLATE), Repository(path)
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
    copy.git("commit", "--quiet", "--allow-empty", "--message", "Today")
    return copy


def release(template: Repository) -> None:
    """Publish a next version, which changes one line of each of two files and adds one file."""
    source = Repository(template.path / "{{cookiecutter.project_slug}}")
    source.change(".editorconfig", "root = true\n", "root = true\n# From the next version.\n")
    source.change("README.md", "\n{{ cookiecutter.project_description }}\n", "\nNews.\n")
    (source.path / "app" / "news.py").write_text('"""New in the next version."""\n', "utf-8")
    template.commit("The next version")
    template.git("tag", "v99.0.0")
