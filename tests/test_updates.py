"""Changes of the template arrive in projects that people have worked on."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import LAYERS, TEMPLATE, Project
from git_repo import GitRepo, copy_history, release
from matrix import Context
from test_generated_projects import OWNER_MIGRATION, run_checks

pytestmark = pytest.mark.slow

#: Version 0.1.0, the first that was released.
RELEASED = "aa34f5963adba1a1fe8fb18f2d70b80138181232"
ANSWERS: Context = {"project_name": "Old Friend", "database_layer": "databases"}
SETTING = "shutdown_timeout: Seconds = 30"
COMMA_SEPARATED = "# SHUTDOWN_TIMEOUT=30"
RESOURCE = '"""Things."""\n\nTHINGS = ["one", "two"]\n'
TABLE = """from sqlalchemy import Column, Integer, Table

from app.db import metadata

things = Table("things", metadata, Column("id", Integer, primary_key=True))
"""


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    return copy_history(tmp_path / "template")


@pytest.fixture
def old(template: GitRepo) -> str:
    """Return the commit of the first release."""
    if not template.git(
        "rev-parse", "--verify", "--quiet", f"{RELEASED}^{{commit}}", may_fail=True
    ):
        pytest.skip(f"this checkout is shallow: {RELEASED[:7]} is not in it")
    return RELEASED


Cruft = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cruft(tmp_path: Path) -> Cruft:
    """Run cruft as a person does who has no defaults of their own."""
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"replay_dir": str(tmp_path / "replay")}), "utf-8")

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        variables = {"COOKIECUTTER_CONFIG": str(config)}
        for role in ("AUTHOR", "COMMITTER"):
            variables |= {f"GIT_{role}_NAME": "A", f"GIT_{role}_EMAIL": "a@example.com"}
        command = [sys.executable, "-m", "cruft", *arguments]
        return Project(cwd).try_to_run(*command, variables=variables)

    return run


def create(
    cruft: Cruft, template: GitRepo, folder: Path, *more: str, answers: Context = ANSWERS
) -> GitRepo:
    """A new project under git."""
    folder.mkdir(exist_ok=True)
    options = ["--no-input", "--output-dir", str(folder), "--extra-context", json.dumps(answers)]
    done = cruft("create", str(template.path), *options, *more)
    assert done.returncode == 0, done.stdout
    project = GitRepo(folder / "old-friend")
    project.git("init", "--quiet")
    project.commit("As it came")
    return project


def owned_edits(project: GitRepo) -> dict[str, str]:
    """What an owner does: a resource, a setting, a word in the README. What they made of it."""
    (project.path / "app" / "api" / "routes" / "things.py").write_text(RESOURCE, "utf-8")
    project.replace("app/settings.py", "shutdown_timeout: Seconds = 20", SETTING)
    project.replace(".env.example", "# SHUTDOWN_TIMEOUT=20\n", f"{COMMA_SEPARATED}\n")
    project.replace("README.md", "\nAn async service on FastAPI and PostgreSQL.\n", "\nOurs.\n")
    project.commit("Ours")
    return {
        "app/api/routes/things.py": RESOURCE,
        "app/settings.py": SETTING,
        ".env.example": COMMA_SEPARATED,
        "README.md": "Ours.",
    }


def differing(first: Project, second: Project) -> set[str]:
    names = (first.files() | second.files()) - {".cruft.json"}
    names = {name for name in names if not name.startswith(".git/")}
    return {
        name
        for name in names
        if not {name} <= first.files() & second.files() or first.read(name) != second.read(name)
    }


def test_an_untouched_project_differs_in_nothing(
    template: GitRepo, cruft: Cruft, tmp_path: Path
) -> None:
    project = create(cruft, template, tmp_path / "mine")

    assert cruft("check", cwd=project.path).returncode == 0
    difference = cruft("diff", "--exit-code", cwd=project.path)
    assert (difference.returncode, difference.stdout) == (0, "")


@pytest.mark.parametrize("layer", LAYERS)
def test_an_untouched_project_of_the_first_release_becomes_like_a_new_one(
    layer: str, template: GitRepo, old: str, cruft: Cruft, tmp_path: Path
) -> None:
    answers = ANSWERS | {"database_layer": layer, "kubernetes": True}
    project = create(cruft, template, tmp_path / "mine", "--checkout", old, answers=answers)

    done = cruft("update", "--skip-apply-ask", "--checkout", "main", cwd=project.path)

    assert done.returncode == 0, done.stdout
    fresh = create(cruft, template, tmp_path / "fresh", "--checkout", "main", answers=answers)
    assert differing(Project(project.path), Project(fresh.path)) == set()


def test_migrations_of_an_owner_and_of_later_versions_can_be_merged(
    template: GitRepo, old: str, cruft: Cruft, tmp_path: Path
) -> None:
    repository = create(cruft, template, tmp_path / "mine", "--checkout", old)
    project = Project(repository.path)
    (project.path / "app" / "db" / "models" / "things.py").write_text(TABLE, "utf-8")
    own = OWNER_MIGRATION.replace("0001_articles", "0004_notes").replace(
        "DROP VIEW own", "DROP TABLE things"
    )
    table = "CREATE TABLE things (id SERIAL CONSTRAINT pk_things PRIMARY KEY)"
    own = own.replace("CREATE VIEW own AS SELECT 1 AS one", table)
    (project.path / "migrations" / "versions" / "0005_things.py").write_text(own, "utf-8")
    project.run("make", "migrate")
    repository.commit("Ours")

    done = cruft("update", "--skip-apply-ask", "--checkout", "main", cwd=project.path)

    assert (done.returncode, repository.git("diff", "--name-only", "--diff-filter=U")) == (0, "")
    if len(project.run("uv", "run", "--quiet", "alembic", "heads").stdout.splitlines()) > 1:
        page = (TEMPLATE / "docs" / "updating.md").read_text("utf-8")
        for command in re.findall(r"^\$ (.+)$", page, re.MULTILINE):
            project.run(*command.split())
    project.run("make", "migrate")
    project.run("uv", "run", "pytest", "tests/test_migrations.py")


def test_a_project_of_an_older_version_follows_and_keeps_what_is_its_owners(
    template: GitRepo, old: str, cruft: Cruft, tmp_path: Path
) -> None:
    project = create(cruft, template, tmp_path / "mine", "--checkout", old)
    edits = owned_edits(project)
    assert cruft("diff", "--exit-code", cwd=project.path).returncode == 1
    release(template)
    assert cruft("check", "--checkout", "main", cwd=project.path).returncode == 1

    done = cruft("update", "--skip-apply-ask", "--checkout", "main", cwd=project.path)

    assert done.returncode == 0, done.stdout
    unmerged = set(project.git("diff", "--name-only", "--diff-filter=U").split())
    rejected = [*project.path.rglob("*.rej")]
    # Both have changed this line, and nothing else.
    assert (unmerged, rejected) == ({"README.md"}, [])
    for name, text in edits.items():
        assert text in Project(project.path).read(name)
    fresh = create(cruft, template, tmp_path / "fresh", "--checkout", "main")
    assert differing(Project(project.path), Project(fresh.path)) == edits.keys()
    assert (project.path / "app" / "news.py").exists()

    project.git("checkout", "HEAD", "--", "README.md")
    project.commit("Up to date")
    assert cruft("check", "--checkout", "main", cwd=project.path).returncode == 0
    run_checks(Project(project.path))


def test_a_team_keeps_a_fork_with_defaults_of_its_own(
    template: GitRepo, old: str, cruft: Cruft, tmp_path: Path
) -> None:
    template.git("branch", "--quiet", "before", old)
    team = GitRepo(tmp_path / "team")
    template.git("clone", "--quiet", "--branch", "before", str(template.path), str(team.path))
    team.replace("cookiecutter.json", '"author_name": "Your Name"', '"author_name": "The Team"')
    team.commit("Our defaults")
    project = create(cruft, team, tmp_path / "mine", "--checkout", "before")
    assert 'name = "The Team"' in Project(project.path).read("pyproject.toml")
    release(template)

    team.git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
    done = cruft("update", "--skip-apply-ask", "--checkout", "before", cwd=project.path)

    assert done.returncode == 0, done.stdout
    assert project.git("diff", "--name-only", "--diff-filter=U") == ""
    fresh = create(cruft, team, tmp_path / "fresh", "--checkout", "before")
    assert differing(Project(project.path), Project(fresh.path)) == set()
    assert 'name = "The Team"' in Project(project.path).read("pyproject.toml")
