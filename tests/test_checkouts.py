"""Generated projects in unusual folders and shells."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from conftest import Project, generate_project
from matrix import ONE_LAYER

pytestmark = pytest.mark.slow

if sys.platform == "win32":
    pytest.skip("the Makefile is for Linux and macOS", allow_module_level=True)

MESSAGE = 'rename "slug" to \'it\'s\\\' $HOME $(id) `id` """\n-- é'


@pytest.fixture(scope="module", params=ONE_LAYER)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return an installed project, in a folder with characters that are special to some tools."""
    generated = generate_project(tmp_path_factory, database_layer=request.param)
    folder = tmp_path_factory.mktemp("checkout") / "50%(here)s %41 é'"
    shutil.move(generated.path, folder)
    project = Project(folder)
    project.run("uv", "sync", "--quiet")
    return project


@pytest.fixture
def project(installed: Project) -> Iterator[Project]:
    """Yield the installed project, and remove the files that a test creates."""
    before = installed.files()
    yield installed
    shutil.rmtree(installed.path / ".data", ignore_errors=True)
    for name in installed.files() - before:
        (installed.path / name).unlink()


def test_commands_work_with_safe_path(project: Project) -> None:
    safe = {"PYTHONSAFEPATH": "1"}

    assert "Running upgrade" in project.run("make", "migrate", variables=safe).stdout
    assert "already up to date" in project.run("make", "migrate", variables=safe).stdout
    done = project.run("make", "revision", "m=nothing", variables=safe)
    assert "No changes" in done.stdout
    project.run("uv", "run", "alembic", "heads", variables=safe)
    files = "tests/test_conventions.py", "tests/test_health.py"
    project.run("uv", "run", "pytest", *files, variables=safe)


def test_revision_message_can_contain_any_character(project: Project) -> None:
    model = project.path / "app" / "db" / "models" / "tags.py"
    page = project.read("docs/add-a-resource.md")
    [source] = [block for block in page.split("```") if "String(30)" in block]
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
    project.run("make", "lint")
    project.run("uv", "run", "pytest", "tests/test_health.py")


@pytest.mark.parametrize(
    "url", ["mysql://me:hush@db/name", "postgresql://me:hush@127.0.0.1:1/name"]
)
def test_invalid_database_url_is_reported_in_one_line(url: str, project: Project) -> None:
    done = project.try_to_run("make", "migrate", variables={"DATABASE_URL": url})

    assert done.returncode != 0
    echoed = ("uv run", "make:")
    messages = [line for line in done.stdout.splitlines() if not line.startswith(echoed)]
    assert len(messages) == 1
    assert "hush" not in messages[0]


@pytest.fixture
def read_only(project: Project) -> Iterator[tuple[str, ...]]:
    """Yield the prefix of commands that run while the project is read-only."""
    if os.geteuid() != 0:
        project.path.chmod(0o555)
        yield ()
        project.path.chmod(0o755)
        return
    # root can write in spite of permissions.
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mount, str(project.path))
    if shutil.which("unshare") is None or project.try_to_run(*prefix, "true").returncode != 0:
        pytest.skip("this system does not allow a private mount")
    yield prefix


def test_read_only_checkout_passes_its_tests(project: Project, read_only: tuple[str, ...]) -> None:
    few = {"PYTEST_ADDOPTS": "tests/test_settings.py --cov-fail-under=0"}

    project.run(*read_only, "uv", "run", "pytest", "tests/test_settings.py")
    done = project.run(*read_only, "make", "test", variables=few)
    refused = project.try_to_run(*read_only, "make", "migrate")

    assert " passed in " in done.stdout
    assert "set DATABASE_URL" in refused.stdout
    assert "Traceback" not in refused.stdout
