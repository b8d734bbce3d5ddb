"""Removes a generated resource, or what an interrupted run has left."""

import subprocess
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory

from dev import DevelopmentError
from dev.resource.files import FILES, JOURNAL, ROOT, remove
from dev.revisions import next_revision_id

_VERSIONS = "migrations/versions"
_ALEMBIC = (sys.executable, "-m", "dev.alembic")


def undo(plural: str) -> None:
    """Remove the files of a resource, and downgrade the development database if needed.

    Raises `DevelopmentError`, and changes nothing, if something is in the way.
    """
    names = JOURNAL.read_text("utf-8").splitlines() if JOURNAL.exists() else _removable(plural)
    remove(names)
    print("Removed:", *names, sep="\n")


def _removable(plural: str) -> list[str]:
    """Return the files of a resource, whose table is no longer in the development database."""
    pattern = f"[0-9][0-9][0-9][0-9]{next_revision_id(plural)[4:]}.py"
    revisions = sorted(path.stem for path in (ROOT / _VERSIONS).glob(pattern))
    if not revisions:
        raise DevelopmentError(f"There is no generated resource {plural}.")
    paths = (*FILES, *(f"{_VERSIONS}/{revision}.py" for revision in revisions))
    names = [name for path in paths if (ROOT / (name := path.format(plural))).exists()]
    problems = [f"{name} has changed since it was added" for name in names if _has_changed(name)]
    heads = ScriptDirectory.from_config(Config(toml_file=ROOT / "pyproject.toml")).get_heads()
    if heads != revisions[-1:]:
        problems.append(f"another migration follows {revisions[-1]}: {', '.join(heads)}")
    if problems:
        raise DevelopmentError("\n".join(["Nothing was removed:", *problems]))
    if revisions[-1] in _run(*_ALEMBIC, "current"):
        _run(*_ALEMBIC, "downgrade", "-1")
    return names


def _has_changed(name: str) -> bool:
    """Return whether git knows another version of a file than the one that was added."""
    commits = _run("git", "log", "--format=%h", "--", name).split()
    status = _run("git", "status", "--porcelain", "--", name)[:2]
    return status not in {"", "??", "A "} or len(commits) > 1


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevelopmentError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout
