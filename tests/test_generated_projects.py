"""Generated projects pass their own checks: install, lint, tests and migrations."""

import re
from collections.abc import Mapping

import pytest
from choices import CHOICES, Context
from conftest import ALL_PASSED, LAYERS, TEMPLATE, Bake, Project, find_python
from matrix import EVERYTHING, ONE_LAYER, SERVICE_OPTIONS, combinations, label, pairwise
from shared_environment import install
from test_rendering import TRICKY_TEXT

from prompt_validation import RESERVED_PACKAGES

pytestmark = pytest.mark.slow

# Valid values that are difficult to quote or unusually long.
TRICKY_CONTEXT = {
    "project_name": TRICKY_TEXT,
    "project_slug": "a" * 40,
    "project_description": TRICKY_TEXT,
    "author_name": TRICKY_TEXT,
}

# Runs each line of standard input as an Alembic command, from outside the project folder.
MIGRATE = """
import os, subprocess, sys, tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from dev.embedded_server import embedded_postgres

with (
    tempfile.TemporaryDirectory() as data,
    embedded_postgres(Path(data, "postgres"), "migrated") as server,
):
    os.environ |= {
        "POSTGRES_HOST": parse_qs(urlsplit(server).query)["host"][0],
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "@ / # ? % : '",
        "POSTGRES_DB": "migrated",
    }
    alembic = [sys.executable, "-m", "alembic", "-c", os.path.abspath("pyproject.toml")]
    for line in sys.stdin:
        print("$ alembic", line, flush=True)
        subprocess.run([*alembic, *line.split()], cwd=data, check=True)
"""

# A migration by the project's owner, with the same parent as one of the template's.
OWNER_MIGRATION = '''"""own"""

from alembic import op

revision: str = "own"
down_revision: str | None = "0001_articles"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.execute("CREATE VIEW own AS SELECT 1 AS one")


def downgrade() -> None:
    op.execute("DROP VIEW own")
'''

OPENAPI = "import app.main, json; print(json.dumps(app.main.create_app().openapi()))"


def run_checks(project: Project, variables: Mapping[str, str] = {}) -> None:
    """Install a project and run its lint and tests."""
    if variables:
        project.run("uv", "sync", "--quiet", variables=variables)
    else:
        install(project)
    project.run("make", "lint", variables=variables)
    report = project.run("make", "test", variables=variables).stdout
    assert ALL_PASSED.search(report), report


# The smallest projects pass their checks in tests/test_tutorial.py.
@pytest.mark.parametrize("layer", LAYERS)
def test_project_with_everything_passes_its_checks(layer: str, bake: Bake) -> None:
    run_checks(bake(**EVERYTHING, database_layer=layer))


@pytest.mark.options
@pytest.mark.parametrize("context", combinations(SERVICE_OPTIONS), ids=label)
def test_every_service_variant_passes_its_checks(context: Context, bake: Bake) -> None:
    run_checks(bake(**context))


@pytest.mark.versions
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("version", CHOICES["python_version"])
def test_full_project_passes_its_checks_on_every_python(
    version: str, layer: str, bake: Bake
) -> None:
    if (python := find_python(version)) is None:
        pytest.skip(f"Python {version} is not installed")

    run_checks(bake(**EVERYTHING, database_layer=layer), {"UV_PYTHON": python})


@pytest.mark.versions
@pytest.mark.parametrize("layer", LAYERS)
def test_full_project_passes_its_checks_with_lowest_dependencies(layer: str, bake: Bake) -> None:
    lowest = {"UV_RESOLUTION": "lowest-direct"}
    if python := find_python(min(CHOICES["python_version"])):
        lowest["UV_PYTHON"] = python

    run_checks(bake(**EVERYTHING, database_layer=layer), lowest)


@pytest.mark.options
@pytest.mark.parametrize("context", pairwise(), ids=label)
def test_pairwise_combinations_pass_their_checks(context: Context, bake: Bake) -> None:
    python = find_python(context["python_version"])

    run_checks(bake(**context), {"UV_PYTHON": python} if python else {})


@pytest.mark.parametrize("layer", ONE_LAYER)
def test_project_without_auth_has_no_routes_or_dependencies_of_auth(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer, auth=False)
    install(project)
    served = project.run(
        *("uv", "run", "python", "-c", OPENAPI),
        variables={"DATABASE_URL": "postgresql://unused@127.0.0.1:1/nothing"},
    ).stdout

    assert "/api/v1/articles" in served
    assert not re.search("/auth|/users|/notes|security", served)
    assert not re.search("argon2|pwdlib|pyjwt|multipart", project.read("uv.lock"))


def test_documented_commands_merge_two_migration_branches(bake: Bake) -> None:
    project = bake(auth=False)
    page = (TEMPLATE / "docs" / "updating.md").read_text("utf-8")
    commands = re.findall(r"^\$ (.+)$", page, re.MULTILINE)
    install(project)
    (project.path / "migrations" / "versions" / "own.py").write_text(OWNER_MIGRATION, "utf-8")

    for command in commands:
        project.run(*command.split())

    assert "alembic merge" in commands[0]
    project.run("make", "lint")
    project.run("uv", "run", "pytest", "tests/test_migrations.py")


@pytest.mark.parametrize("layer", ONE_LAYER)
def test_migrations_run_from_outside_the_project_folder(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer)
    install(project)
    commands = ["upgrade head", "downgrade base", "upgrade head", "check", "upgrade head --sql"]

    done = project.run("uv", "run", "python", "-c", MIGRATE, stdin="\n".join(commands))

    assert "No new upgrade operations detected." in done.stdout
    script = done.stdout.rpartition("$ alembic")[2]
    assert "CREATE TABLE articles" in script
    assert script.rstrip().endswith("COMMIT;")


def test_names_of_dependencies_are_reserved(bake: Bake) -> None:
    for layer in LAYERS:
        project = bake(**EVERYTHING, database_layer=layer)
        project.run("uv", "lock", "--quiet")
        locked = set(re.findall(r'^name = "(.+)"$', project.read("uv.lock"), re.MULTILINE))
        assert locked - RESERVED_PACKAGES == {project.path.name}
