"""Fixtures: one generated project per layer, one server per session, one database per test."""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from conftest import LAYERS, Project, generate_project
from shared_environment import install

from resilience.postgres_server import (
    PostgresServer,
    create_database,
    create_migrated_database,
    run_postgres,
)

HERE = Path(__file__).parent
# The servers and proxies listen on Unix sockets.
collect_ignore_glob = ["*"] if sys.platform == "win32" else []


# Tests of code that both layers share. `make test` runs them on the last layer.
SHARED_BY_LAYERS = {
    "test_concurrent_migrations",
    "test_failover",
    "test_fuzzing",
    "test_graceful_shutdown",
    "test_job_outages",
    "test_killed_workers",
    "test_logins",
    "test_password_quoting",
    "test_time_zones",
    "test_tls",
    "test_user_isolation",
    "test_worker_pgbouncer",
    "test_worker_shutdown",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the markers that apply to every test in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("slow")
            item.add_marker("resilience")
            item.add_marker("anyio")
            if item.path.stem in SHARED_BY_LAYERS and f"[{LAYERS[-1]}" not in item.name:
                item.add_marker("thorough")


@pytest.fixture(scope="session", autouse=True)
def anyio_backend() -> str:
    """Run all async tests and fixtures in one event loop, with the anyio plugin."""
    return "asyncio"


@pytest.fixture(scope="session", params=LAYERS)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Generate a project with the reference values and install it."""
    project = generate_project(tmp_path_factory, database_layer=request.param)
    import fcntl  # Missing on Windows, where these tests are not collected.

    # The processes of pytest-xdist share the environment of a layer.
    with Path(tempfile.gettempdir(), f"{request.param}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(project, request.param)
    return project


@pytest.fixture(scope="session")
def server(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run a PostgreSQL server with the role `service`, whose password is difficult to quote."""
    with run_postgres(project, tmp_path_factory.mktemp("server") / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
async def template_database(server: PostgresServer, project: Project) -> str:
    """Create a migrated database to copy, and return its name."""
    return await create_migrated_database(server, project)


@pytest.fixture
async def database(server: PostgresServer, template_database: str) -> AsyncIterator[str]:
    """Create a migrated database for one test and yield its name."""
    name = await create_database(server, template_database)
    yield name
    async with server.superuser_connection() as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
