"""Projects that cruft creates from a copy of this template, and updates."""

import json
from pathlib import Path
from subprocess import CompletedProcess

from choices import Context
from conftest import LAYERS, Project
from cookiecutter_cli import cruft
from git_repo import GitRepo

CONTEXT: Context = {"project_name": "Old Friend", "database_layer": LAYERS[-1]}


def create(folder: Path, template: GitRepo, checkout: str, context: Context = CONTEXT) -> GitRepo:
    """Generate a project from a branch or commit of `template`, and commit it."""
    folder.mkdir()
    where = ["--output-dir", str(folder), "--checkout", checkout]
    values = ["--no-input", "--extra-context", json.dumps(context)]
    done = cruft(folder, "create", str(template.path), *where, *values)
    assert done.returncode == 0, done.stderr
    project = GitRepo(folder / "old-friend")
    project.git("init", "--quiet")
    project.commit("Generate the project")
    return project


def run_cruft(project: GitRepo, *arguments: str) -> CompletedProcess[str]:
    """Run cruft in `project`."""
    return cruft(project.path.parent, *arguments, cwd=project.path)


def update(project: GitRepo, checkout: str = "main") -> None:
    """Update `project` to a branch of the template."""
    done = run_cruft(project, "update", "--skip-apply-ask", "--checkout", checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [*project.path.rglob("*.rej")]


def differing_files(first: GitRepo, second: GitRepo) -> set[str]:
    """Return the names of files that only one project has, or that have different contents."""
    one, other = Project(first.path), Project(second.path)
    names = {name for name in one.files() | other.files() if not name.startswith(".git/")}
    common = one.files() & other.files()
    different = {name for name in names if name not in common or one.read(name) != other.read(name)}
    return different - {".cruft.json"}  # It contains the commit of the template.
