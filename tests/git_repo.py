"""Git repositories: generated projects, and copies of this template with its history."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import SOURCES, TEMPLATE, clean_environment


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
        # git reports some errors, such as an empty commit, on standard output.
        assert may_fail or done.returncode == 0, f"git {arguments[0]}: {done.stdout}{done.stderr}"
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


NOTES = "docs/notes.md"
OLD_NOTES = "# Notes\n\nThe first version.\n\nBetween the lines.\n\nAnother line.\n"
NEWS_MIGRATION = (
    '"""news"""\n\nrevision: str = "9000_news"\ndown_revision: str | None = "{head}"\n'
    + '''
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    """Change nothing."""


def downgrade() -> None:
    """Change nothing."""
'''
)


def release_old_version(template: GitRepo) -> str:
    """Release a made-up version with one more file, and return its commit."""
    source = GitRepo(template.path / SOURCES.name)
    (source.path / NOTES).write_text(OLD_NOTES, "utf-8")
    return template.commit("Release the old version")


def release(template: GitRepo) -> None:
    """Release a made-up version: two changed files, a new module and a new migration.

    It does not depend on any text of this template, which a fork may change.
    """
    source = GitRepo(template.path / SOURCES.name)
    notes = source.path / NOTES
    text = notes.read_text("utf-8") if notes.exists() else OLD_NOTES
    notes.write_text(text.replace("The first version.", "The next version."), "utf-8")
    (source.path / "app" / "news.py").write_text('"""New in the next version."""\n', "utf-8")
    main = source.path / "app" / "main.py"
    main.write_text(main.read_text("utf-8") + "\n\n# From the next version.\n", "utf-8")
    migration = NEWS_MIGRATION.format(head=find_head(source.path))
    (source.path / "migrations" / "versions" / "9000_news.py").write_text(migration, "utf-8")
    template.commit("Release the next version")
    template.git("tag", "v99.0.0")


def find_head(project: Path) -> str:
    """Return the newest revision of a project with all features."""
    return max(path.stem for path in (project / "migrations" / "versions").glob("*.py"))
