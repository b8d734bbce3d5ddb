"""`cruft update` merges new versions of the template into projects that owners have changed.

The versions are made up: the old one is this template with one more file, the new one changes it.
"""

import re
from pathlib import Path

import pytest
from choices import REFERENCE
from conftest import LAYERS, TEMPLATE, Project
from cruft_projects import CONTEXT, create, differing_files, run_cruft, update
from forks import HEADER, add_header, change_every_default, remove_choices
from git_repo import NOTES, GitRepo, copy_history, find_head, release, release_old_version
from shared_environment import install
from test_generated_projects import OWNER_MIGRATION

pytestmark = pytest.mark.slow

# Except for the edited files, the project is the same as a new one, whose tests run elsewhere.
TESTS = ["tests/test_conventions.py", "tests/test_migrations.py", "tests/test_settings.py"]
RESOURCE = '"""Things."""\n\nTHINGS = ["one", "two"]\n'
TABLE = """from sqlalchemy import Column, Integer, Table

from app.db import metadata

things = Table("things", metadata, Column("id", Integer, primary_key=True))
"""


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    """Return a copy of this repository, whose branch `main` is the old version."""
    template = copy_history(tmp_path / "template")
    release_old_version(template)
    return template


def append(repo: GitRepo, name: str, text: str) -> None:
    """Append text to a file."""
    path = repo.path / name
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_untouched_project_is_current_and_has_no_diff(template: GitRepo, tmp_path: Path) -> None:
    project = create(tmp_path / "mine", template, "main")

    assert run_cruft(project, "check", "--checkout", "main").returncode == 0
    difference = run_cruft(project, "diff", "--exit-code")
    assert (difference.returncode, difference.stdout) == (0, "")


@pytest.mark.parametrize("layer", LAYERS)
def test_untouched_project_becomes_identical_to_a_new_one(
    layer: str, template: GitRepo, tmp_path: Path
) -> None:
    context = CONTEXT | {"database_layer": layer, "kubernetes": True}
    project = create(tmp_path / "mine", template, "main", context)
    release(template)

    update(project)

    assert project.conflicts() == set()
    fresh = create(tmp_path / "fresh", template, "main", context)
    assert differing_files(project, fresh) == set()


def test_owner_edits_conflict_only_where_both_sides_changed_the_same_lines(
    template: GitRepo, tmp_path: Path
) -> None:
    project = create(tmp_path / "mine", template, "main")
    (project.path / "app" / "api" / "routes" / "things.py").write_text(RESOURCE, "utf-8")
    project.replace(NOTES, "Another line.", "Our line.")
    project.replace(NOTES, "The first version.", "Our version.")
    append(project, ".env.example", "# Ours.\n")
    project.commit("Change the project")
    assert run_cruft(project, "diff", "--exit-code").returncode == 1
    release(template)
    assert run_cruft(project, "check", "--checkout", "main").returncode == 1

    update(project)

    assert project.conflicts() == {NOTES}
    notes = Project(project.path).read(NOTES)
    assert re.search(r"<<<<<<<.*\nOur version\.\n=======\nThe next version\.\n>>>>>>>", notes)
    assert notes.endswith("\nOur line.\n")
    fresh = create(tmp_path / "fresh", template, "main")
    edited = {"app/api/routes/things.py", ".env.example", NOTES}
    assert differing_files(project, fresh) == edited
    assert (project.path / "app" / "news.py").exists()
    project.git("checkout", "--ours", "--", NOTES)
    project.commit("Update the project")
    assert run_cruft(project, "check", "--checkout", "main").returncode == 0
    install(Project(project.path))
    Project(project.path).run("make", "lint")
    Project(project.path).run("uv", "run", "pytest", *TESTS)


def test_migrations_of_owner_and_template_can_be_merged(template: GitRepo, tmp_path: Path) -> None:
    repo = create(tmp_path / "mine", template, "main")
    project = Project(repo.path)
    (project.path / "app" / "db" / "models" / "things.py").write_text(TABLE, "utf-8")
    migration = OWNER_MIGRATION.replace("0001_articles", find_head(project.path))
    migration = migration.replace("DROP VIEW own", "DROP TABLE things")
    table = "CREATE TABLE things (id SERIAL CONSTRAINT pk_things PRIMARY KEY)"
    migration = migration.replace("CREATE VIEW own AS SELECT 1 AS one", table)
    (project.path / "migrations" / "versions" / "8000_things.py").write_text(migration, "utf-8")
    project.run("make", "migrate")
    repo.commit("Add a table")
    release(template)

    update(repo)

    assert repo.conflicts() == set()
    heads = project.run("uv", "run", "--quiet", "alembic", "heads").stdout.splitlines()
    assert len(heads) == 2
    page = (TEMPLATE / "docs" / "updating.md").read_text("utf-8")
    for command in re.findall(r"^\$ (.+)$", page, re.MULTILINE):
        project.run(*command.split())
    project.run("make", "migrate")
    project.run("uv", "run", "pytest", "tests/test_migrations.py")


def test_release_is_merged_into_a_fork_and_its_projects(template: GitRepo, tmp_path: Path) -> None:
    fork = GitRepo(tmp_path / "fork")
    template.git("clone", "--quiet", "--branch", "main", str(template.path), str(fork.path))
    for change in (change_every_default, add_header, remove_choices("ci", REFERENCE["ci"])):
        change(fork)
    fork.commit("Set the defaults of the team")
    config = (fork.path / "cookiecutter.json").read_text("utf-8")
    assert '"author_name": "The Team"' in config
    project = create(tmp_path / "mine", fork, "main")
    release(template)

    fork.git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    update(project)

    assert (fork.path / "cookiecutter.json").read_text("utf-8") == config
    assert project.conflicts() == set()
    assert differing_files(project, create(tmp_path / "fresh", fork, "main")) == set()
    main = Project(project.path).read("app/main.py")
    assert main.startswith(HEADER)
    assert main.endswith("# From the next version.\n")
