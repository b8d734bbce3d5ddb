"""`cruft update` merges new versions of the template into projects that owners have changed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from conftest import LAYERS, TEMPLATE, Project
from cookiecutter_cli import cruft
from git_repo import GitRepo, copy_history, release
from matrix import Context
from test_generated_projects import OWNER_MIGRATION, run_checks

pytestmark = pytest.mark.slow

#: Version 0.1.0, the first release.
RELEASED = "aa34f5963adba1a1fe8fb18f2d70b80138181232"
CONTEXT: Context = {"project_name": "Old Friend", "database_layer": "databases"}
RESOURCE = '"""Things."""\n\nTHINGS = ["one", "two"]\n'
TABLE = """from sqlalchemy import Column, Integer, Table

from app.db import metadata

things = Table("things", metadata, Column("id", Integer, primary_key=True))
"""
# Each: a file, a line of it in the first release, and the owner's version of that line.
OWNER_EDITS = [
    ("app/settings.py", "shutdown_timeout: Seconds = 20", "shutdown_timeout: Seconds = 30"),
    (".env.example", "# SHUTDOWN_TIMEOUT=20", "# SHUTDOWN_TIMEOUT=30"),
    ("README.md", "\nAn async service on FastAPI and PostgreSQL.\n", "\nOurs.\n"),
]


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    """Return a copy of this repository, whose branch `main` has the uncommitted changes too."""
    return copy_history(tmp_path / "template")


@pytest.fixture
def old(template: GitRepo) -> str:
    """Return the commit of the first release, or skip the test in a shallow clone."""
    if not template.git("cat-file", "-t", RELEASED, may_fail=True):
        pytest.skip(f"this clone is shallow: {RELEASED[:7]} is missing")
    return RELEASED


Create = Callable[..., GitRepo]


@pytest.fixture
def create(template: GitRepo, tmp_path: Path) -> Create:
    """Return a function that generates a project with cruft and commits it."""

    def create_project(
        name: str, checkout: str, context: Context = CONTEXT, source: GitRepo = template
    ) -> GitRepo:
        folder = tmp_path / name
        folder.mkdir()
        where = ["--output-dir", str(folder), "--checkout", checkout]
        values = ["--no-input", "--extra-context", json.dumps(context)]
        done = cruft(tmp_path, "create", str(source.path), *where, *values)
        assert done.returncode == 0, done.stderr
        project = GitRepo(folder / "old-friend")
        project.git("init", "--quiet")
        project.commit("Generate the project")
        return project

    return create_project


def run_cruft(project: GitRepo, *arguments: str) -> CompletedProcess[str]:
    """Run cruft in `project`."""
    return cruft(project.path.parent, *arguments, cwd=project.path)


def update(project: GitRepo, checkout: str = "main") -> None:
    """Update `project` to a branch of the template."""
    done = run_cruft(project, "update", "--skip-apply-ask", "--checkout", checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [*project.path.rglob("*.rej")]


def edit_as_owner(project: GitRepo) -> None:
    """Add a resource, change a setting and its documentation, and describe the service."""
    (project.path / "app" / "api" / "routes" / "things.py").write_text(RESOURCE, "utf-8")
    for name, old, new in OWNER_EDITS:
        project.replace(name, old, new)
    project.commit("Change the project")


def differing_files(first: GitRepo, second: GitRepo) -> set[str]:
    """Return the names of files that only one project has, or that have different contents."""
    one, other = Project(first.path), Project(second.path)
    names = {name for name in one.files() | other.files() if not name.startswith(".git/")}
    common = one.files() & other.files()
    different = {name for name in names if name not in common or one.read(name) != other.read(name)}
    return different - {".cruft.json"}  # It contains the commit of the template.


def has_conflict(name: str, owned: GitRepo, base: GitRepo, new: GitRepo) -> bool:
    """Return whether the owner and the template have changed the same lines of a file."""
    paths = [str(project.path / name) for project in (owned, base, new)]
    return "<<<<<<<" in owned.git("merge-file", "--stdout", *paths, may_fail=True)


def test_untouched_project_is_current_and_has_no_diff(create: Create) -> None:
    project = create("mine", "main")
    assert run_cruft(project, "check", "--checkout", "main").returncode == 0
    difference = run_cruft(project, "diff", "--exit-code")
    assert (difference.returncode, difference.stdout) == (0, "")


@pytest.mark.parametrize("layer", LAYERS)
def test_untouched_project_of_first_release_becomes_identical_to_a_new_one(
    layer: str, old: str, create: Create
) -> None:
    context = CONTEXT | {"database_layer": layer, "kubernetes": True}
    project = create("mine", old, context)

    update(project)

    assert project.conflicts() == set()
    assert differing_files(project, create("fresh", "main", context)) == set()


def test_owner_edits_conflict_only_where_both_sides_changed_the_same_lines(
    template: GitRepo, old: str, create: Create
) -> None:
    project, base = create("mine", old), create("base", old)
    edit_as_owner(project)
    assert run_cruft(project, "diff", "--exit-code").returncode == 1
    release(template)
    assert run_cruft(project, "check", "--checkout", "main").returncode == 1
    fresh = create("fresh", "main")
    edited = [name for name, _, _ in OWNER_EDITS]
    expected = {name for name in edited if has_conflict(name, project, base, fresh)}
    assert "README.md" in expected

    update(project)

    assert project.conflicts() == expected
    for name, _, text in OWNER_EDITS:
        assert text in Project(project.path).read(name)
    assert differing_files(project, fresh) == {"app/api/routes/things.py", *edited}
    assert (project.path / "app" / "news.py").exists()
    # Resolve each conflict as the owner would: take the new text, and repeat the edit in it.
    for name, before, after in OWNER_EDITS:
        if name in expected:
            project.git("checkout", "--theirs", "--", name)
            text = Project(project.path).read(name).replace(before, after)
            (project.path / name).write_text(text, "utf-8")
    project.commit("Update the project")
    assert run_cruft(project, "check", "--checkout", "main").returncode == 0
    run_checks(Project(project.path))


def test_migrations_of_owner_and_template_can_be_merged(old: str, create: Create) -> None:
    repo = create("mine", old)
    project = Project(repo.path)
    (project.path / "app" / "db" / "models" / "things.py").write_text(TABLE, "utf-8")
    migration = OWNER_MIGRATION.replace("0001_articles", "0004_notes")
    migration = migration.replace("DROP VIEW own", "DROP TABLE things")
    table = "CREATE TABLE things (id SERIAL CONSTRAINT pk_things PRIMARY KEY)"
    migration = migration.replace("CREATE VIEW own AS SELECT 1 AS one", table)
    (project.path / "migrations" / "versions" / "0005_things.py").write_text(migration, "utf-8")
    project.run("make", "migrate")
    repo.commit("Add a table")

    update(repo)

    assert repo.conflicts() == set()
    if len(project.run("uv", "run", "--quiet", "alembic", "heads").stdout.splitlines()) > 1:
        page = (TEMPLATE / "docs" / "updating.md").read_text("utf-8")
        for command in re.findall(r"^\$ (.+)$", page, re.MULTILINE):
            project.run(*command.split())
    project.run("make", "migrate")
    project.run("uv", "run", "pytest", "tests/test_migrations.py")


def test_fork_of_the_template_keeps_its_defaults(
    template: GitRepo, old: str, create: Create, tmp_path: Path
) -> None:
    template.git("branch", "--quiet", "before", old)
    team = GitRepo(tmp_path / "team")
    template.git("clone", "--quiet", "--branch", "before", str(template.path), str(team.path))
    team.replace("cookiecutter.json", '"author_name": "Your Name"', '"author_name": "The Team"')
    team.commit("Set the defaults of the team")
    project = create("mine", "before", source=team)
    assert 'name = "The Team"' in Project(project.path).read("pyproject.toml")
    release(template)

    team.git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    update(project, "before")

    assert project.conflicts() == set()
    assert differing_files(project, create("fresh", "before", source=team)) == set()
    assert 'name = "The Team"' in Project(project.path).read("pyproject.toml")
