"""docs/add-options.md adds options to a project with other migrations and data."""

import re
from pathlib import Path

import pytest
from choices import CHOICES, Context
from conftest import LAYERS, TEMPLATE, Project
from cruft_projects import CONTEXT, create
from fork_pages import IDENTITY
from git_repo import copy_history
from shared_environment import install

pytestmark = [
    pytest.mark.slow,
    pytest.mark.options,
    pytest.mark.skipif(
        not {"github", "none"} <= {*CHOICES["ci"]}, reason="a CI provider of the page is missing"
    ),
]

PAGE = (TEMPLATE / "docs" / "add-options.md").read_text("utf-8")
WITHOUT: Context = {"kubernetes": False, "ci": "none"}
#: The commands that restore a migration, which is only in some projects.
RESTORED = re.compile(r"^git restore .+ (migrations/versions/\S+)$", re.MULTILINE)
# The others pass in new projects with the same options.
TESTS = "tests/test_migrations.py tests/test_revisions.py tests/auth/test_users.py"
MODEL = '''"""Things."""

from sqlalchemy import Column, Integer, Table, Text

from app.db import metadata

things = Table(
    "things", metadata, Column("id", Integer, primary_key=True), Column("name", Text)
)
'''


def change_predecessors(project: Project, head: str, *, had_auth: bool, had_jobs: bool) -> None:
    """Change `down_revision` as the table says, in the files that the project has."""
    folder = project.path / "migrations" / "versions"
    applies = {
        "`auth`": not had_auth,
        "`auth` to a project with jobs": not had_auth and had_jobs,
        "`jobs`, but not `auth`": had_auth and not had_jobs,
        "`jobs` to a project with users": had_auth and not had_jobs,
    }
    rows = re.findall(r"^\| (.+) \| `(\d+_\w+\.py)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert {condition for condition, _, _ in rows} == {*applies}
    for condition, name, value in rows:
        if not applies[condition]:
            continue
        revisions = re.findall(r"`(\w+)`", value) or [head]
        existing = [one for one in revisions if one == head or (folder / f"{one}.py").exists()]
        if (folder / name).exists():
            text = (folder / name).read_text("utf-8")
            line = f'down_revision: str | None = "{existing[0]}"'
            changed, count = re.subn(r"^down_revision\b.*$", line, text, flags=re.MULTILINE)
            assert count == 1
            (folder / name).write_text(changed, "utf-8")


def heads(project: Project) -> list[str]:
    output = project.run("uv", "run", "alembic", "heads").stdout
    return re.findall(r"^(\w+) \(head\)$", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("layer", "had"),
    [
        (LAYERS[0], {"example"}),
        (LAYERS[0], {"example", "jobs"}),
        (LAYERS[-1], {"jobs"}),
        (LAYERS[-1], {"example", "auth"}),
    ],
    ids=["example", "example-jobs", "jobs", "example-users"],
)
def test_options_are_added_to_a_project_with_migrations_and_data(
    layer: str, had: set[str], tmp_path: Path
) -> None:
    template = copy_history(tmp_path / "template")
    template.git("tag", "--force", "v0.1.0")
    options = {option: option in had for option in ("example", "auth", "jobs")}
    context = CONTEXT | WITHOUT | {"database_layer": layer} | options
    repo = create(tmp_path / "mine", template, "v0.1.0", context)
    project = Project(repo.path)
    install(project)
    (project.path / "app" / "db" / "models" / "things.py").write_text(MODEL, "utf-8")
    for command in ("make migrate", "make revision m=things", "make format", "make seed N=3"):
        project.run(*command.split())
    repo.commit("Add things")
    [head] = heads(project)
    before = project.files()
    home = {
        "HOME": str(tmp_path),
        "UV_PROJECT_ENVIRONMENT": str((project.path / ".venv").resolve()),
    }

    for step in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if "make migrate" in step:
            assert len(heads(project)) > 1
            change_predecessors(project, head, had_auth="auth" in had, had_jobs="jobs" in had)
        if not {*RESTORED.findall(step)} <= before:
            continue
        block = step.replace("make test", f"uv run pytest --quiet --numprocesses 2 {TESTS}")
        project.run("bash", "-euxc", block, variables={**IDENTITY, **home})

    assert len(heads(project)) == 1
    check = project.run("uv", "run", "python", "-m", "dev.alembic", "check")
    assert "No new upgrade operations" in check.stdout
    seeded = project.run("make", "seed", "N=3").stdout
    assert "things: not changed, has rows (3)" in seeded
    assert ("users: not changed" if "auth" in had else "users: 3 rows") in seeded
    added = {"app/worker.py", "kubernetes/worker.yaml", ".github/workflows/ci.yml"}
    assert added <= project.files()
    assert repo.git("status", "--porcelain") == ""
