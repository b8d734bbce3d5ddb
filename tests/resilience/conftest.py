"""For each layer one project, installed once; for each run one server; for each test a database."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import LAYERS, Project

from resilience.service_process import Server, create_database, create_migrated_database, postgres

HERE = Path(__file__).parent
# Its servers and proxies listen on Unix sockets.
collect_ignore_glob = ["*"] if sys.platform == "win32" else []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder installs projects, and is hostile to them."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("slow")
            item.add_marker("resilience")
            item.add_marker("anyio")


@pytest.fixture(scope="session", autouse=True)
def anyio_backend() -> str:
    """One loop for the run, in which the plugin of anyio awaits tests and fixtures."""
    return "asyncio"


@pytest.fixture(scope="session", params=LAYERS)
def project(request: pytest.FixtureRequest, cookies_session: Any) -> Project:
    """A project as it comes, with its environment."""
    result = cookies_session.bake(extra_context={"database_layer": request.param})
    assert (result.exit_code, result.exception) == (0, None)
    project = Project(result.project_path)
    project.run("uv", "sync", "--quiet")
    return project


@pytest.fixture(scope="session")
def server(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose user `service` has a difficult password."""
    with postgres(project, tmp_path_factory.mktemp("server") / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
async def template(server: Server, project: Project) -> str:
    """The name of a database with all migrations, to be copied."""
    return await create_migrated_database(server, project)


@pytest.fixture
async def database(server: Server, template: str) -> AsyncIterator[str]:
    """The name of a database that only this test uses."""
    name = await create_database(server, template)
    yield name
    control = await server.connect()
    await control.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await control.close()
