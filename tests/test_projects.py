"""Projects as they come: installed by their own commands, linted, tested and migrated."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import LAYERS, Bake, Project, find_python
from rendered_hooks import load_hook
from test_rendering import NASTY

pytestmark = pytest.mark.slow

VERSIONS = ["3.11", "3.12", "3.13", "3.14"]

# Runs each line of its input as an Alembic command, somewhere else than in the project.
MIGRATE = """
import os, subprocess, sys, tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from dev.database import ensure_database
from dev.postgres import embedded_postgres

with tempfile.TemporaryDirectory() as data, embedded_postgres(Path(data, "postgres")) as server:
    ensure_database(server, "migrated")
    os.environ |= {
        "POSTGRES_HOST": parse_qs(urlsplit(server).query)["host"][0],
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "@ / # ? % : '",
        "POSTGRES_DB": "migrated",
    }
    alembic = [sys.executable, "-m", "alembic", "-c", os.path.abspath("alembic.ini")]
    for line in sys.stdin:
        print("$ alembic", line, flush=True)
        subprocess.run([*alembic, *line.split()], cwd=data, check=True)
"""


def check(project: Project, variables: Mapping[str, str] = {}) -> None:
    """Install a project in a fresh environment and run its own checks."""
    project.run("uv", "sync", "--quiet", variables=variables)
    project.run("make", "lint", variables=variables)
    report = project.run("make", "test", variables=variables).stdout
    # Nothing but passed: none failed, none skipped, no warnings.
    assert re.search(r"^=+ \d+ passed in ", report, re.MULTILINE), report


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_project_with_the_example_is_green(version: str, layer: str, bake: Bake) -> None:
    if (python := find_python(version)) is None:
        pytest.skip(f"there is no Python {version} on this machine")

    check(bake(database_layer=layer), {"UV_PYTHON": python})


@pytest.mark.parametrize("layer", LAYERS)
def test_an_empty_project_with_odd_but_legal_answers_is_green(layer: str, bake: Bake) -> None:
    check(
        bake(
            database_layer=layer,
            example=False,
            project_name=NASTY,
            project_slug="a" * 40,
            project_description=NASTY,
            author_name=NASTY,
        )
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_migrations_run_up_and_down_from_another_folder(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer)
    commands = ["upgrade head", "downgrade base", "upgrade head", "check", "upgrade head --sql"]

    done = project.run("uv", "run", "python", "-c", MIGRATE, stdin="\n".join(commands))

    assert "No new upgrade operations detected." in done.stdout
    script = done.stdout.rpartition("$ alembic")[2]
    assert "CREATE TABLE articles" in script
    assert script.rstrip().endswith("COMMIT;")


def test_no_package_of_a_project_may_lend_it_its_name(bake: Bake, tmp_path: Path) -> None:
    refused = load_hook(tmp_path, "pre_gen_project").PACKAGES

    for layer in LAYERS:
        project = bake(database_layer=layer)
        project.run("uv", "lock", "--quiet")
        locked = set(re.findall(r'^name = "(.+)"$', project.read("uv.lock"), re.MULTILINE))
        assert locked - refused == {project.path.name}
