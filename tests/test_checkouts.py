"""Projects in unusual folders and shells."""

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import LAYERS, Project

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("the Makefile is for Linux and macOS", allow_module_level=True)

MESSAGE = 'rename "slug" to \'it\'s\\\' $HOME $(id) `id` """\n-- é'


@pytest.fixture(scope="module", params=LAYERS)
def installed(
    request: pytest.FixtureRequest, cookies_session: Any, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A project in a folder with characters that are special to some tools."""
    result = cookies_session.bake(extra_context={"database_layer": request.param})
    assert (result.exit_code, result.exception) == (0, None)
    folder = tmp_path_factory.mktemp("checkout") / "50%(here)s %41 é'"
    shutil.move(result.project_path, folder)
    project = Project(folder)
    project.run("uv", "sync", "--quiet")
    return project


@pytest.fixture
def project(installed: Project) -> Iterator[Project]:
    """The installed project as it was generated, without a database."""
    before = installed.files()
    yield installed
    shutil.rmtree(installed.path / ".data", ignore_errors=True)
    for name in installed.files() - before:
        (installed.path / name).unlink()


def test_a_shell_with_a_safe_path_runs_every_command(project: Project) -> None:
    safe = {"PYTHONSAFEPATH": "1"}

    assert "Running upgrade" in project.run("make", "migrate", variables=safe).stdout
    assert "already up to date" in project.run("make", "migrate", variables=safe).stdout
    done = project.run("make", "revision", "m=nothing", variables=safe)
    assert "No changes" in done.stdout
    project.run("uv", "run", "alembic", "heads", variables=safe)
    files = "tests/test_conventions.py", "tests/test_health.py"
    project.run("uv", "run", "pytest", *files, variables=safe)


def test_any_message_makes_a_revision_that_can_be_applied(project: Project) -> None:
    model = project.path / "app" / "db" / "models" / "tags.py"
    page = project.read("docs/add-a-resource.md")
    [source] = [block for block in page.split("```") if '"""Tags."""' in block]
    model.write_text(source.removeprefix("python\n"), "utf-8")

    refused = project.try_to_run("make", "revision", f"m={MESSAGE}")
    assert refused.returncode != 0
    assert "make migrate" in refused.stdout
    assert "Traceback" not in refused.stdout
    project.run("make", "migrate")
    project.run("make", "revision", f"m={MESSAGE}")
    done = project.run("make", "migrate")

    assert done.stdout.count("Running upgrade") == 1
    assert "rename \"slug\" to 'it's\\' $HOME $(id) `id`" in done.stdout
    project.run("make", "format")
    project.run("make", "lint")
    project.run("uv", "run", "pytest", "tests/test_health.py")


@pytest.mark.parametrize(
    "address", ["mysql://me:hush@db/name", "postgresql://me:hush@127.0.0.1:1/name"]
)
def test_a_bad_address_is_one_line(address: str, project: Project) -> None:
    done = project.try_to_run("make", "migrate", variables={"DATABASE_URL": address})

    assert done.returncode != 0
    said = [line for line in done.stdout.splitlines() if not line.startswith(("uv run", "make:"))]
    assert len(said) == 1
    assert "hush" not in said[0]


@pytest.fixture
def read_only(project: Project) -> Iterator[tuple[str, ...]]:
    """What runs a command in the project while nothing can be written there."""
    if os.geteuid() != 0:
        project.path.chmod(0o555)
        yield ()
        project.path.chmod(0o755)
        return
    # Permissions do not stop root.
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mount, str(project.path))
    if shutil.which("unshare") is None or project.try_to_run(*prefix, "true").returncode != 0:
        pytest.skip("this system does not let a process have its own mounts")
    yield prefix


def test_a_read_only_checkout_has_green_tests(project: Project, read_only: tuple[str, ...]) -> None:
    few = {"PYTEST_ADDOPTS": "tests/test_settings.py --cov-fail-under=0"}

    project.run(*read_only, "uv", "run", "pytest", "tests/test_settings.py")
    done = project.run(*read_only, "make", "test", variables=few)
    refused = project.try_to_run(*read_only, "make", "migrate")

    assert " passed in " in done.stdout
    assert "set DATABASE_URL" in refused.stdout
    assert "Traceback" not in refused.stdout
