"""Fixtures: a database for each worker process, and clients of the application.

`conftest.py` loads this module in the processes that run tests.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import delete

from app.db import Database, metadata
from app.main import create_app
from app.settings import ServiceSettings, Settings
from dev.default_settings import clear_settings
from tests.databases import (
    create_database,
    database_settings,
    database_url,
    drop_database,
    ensure_template_database,
)
from tests.in_process import InProcessTransport
from tests.isolation import isolated
from tests.openapi_contract import assert_documented
from tests.postgres import running_server


def pytest_configure() -> None:
    """Remove the developer's settings from the environment."""
    clear_settings()
    # If it were set, Python processes started by tests could not import `app` and `tests`.
    os.environ.pop("PYTHONSAFEPATH", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no worker starts one when the others have finished."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def server(server_data_dir: Path, process_count: int) -> Iterator[str]:
    """Yield the URL of the server, for tests that create databases."""
    with running_server(server_data_dir, process_count) as server:
        yield server


@pytest.fixture(scope="session")
async def settings(server: str, server_data_dir: Path) -> AsyncIterator[Settings]:
    """Yield settings with this worker's database, which is copied from a migrated template."""
    template = server_data_dir.name
    await ensure_template_database(server, template)
    name = await create_database(server, template=template)
    service = ServiceSettings(environment="test")
    yield Settings(service=service, database=database_settings(database_url(server, name)))
    await drop_database(server, name)


@pytest.fixture
async def empty_database(server: str) -> AsyncIterator[str]:
    """Yield the URL of a database without tables."""
    name = await create_database(server)
    yield database_url(server, name)
    await drop_database(server, name)


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Yield the worker's database. A test that commits rows uses `clean_database` instead."""
    async with Database(settings.database) as database:
        yield database


@pytest.fixture
async def clean_database(database: Database) -> AsyncIterator[Database]:
    """Yield the worker's database, and delete all rows after the test."""
    yield database
    async with database.transaction() as transaction:
        for table in reversed(metadata.sorted_tables):
            # For a few rows, DELETE is faster than TRUNCATE.
            await transaction.execute(delete(table))


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """Return the application. A module whose tests add routes overrides this fixture."""
    return create_app(settings)


@pytest.fixture
async def client(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    """Yield a client of the application. Rolls back all changes, even committed ones."""
    async with isolated(database) as isolated_database, _client(app) as client:
        app.state.database = isolated_database
        yield client


@pytest.fixture
async def committing_client(app: FastAPI, clean_database: Database) -> AsyncIterator[AsyncClient]:
    """Yield a client of the application with its connection pool and real commits."""
    app.state.database = clean_database
    async with app.state.readiness, _client(app) as client:
        yield client


@pytest.fixture
async def live_server(app: FastAPI, clean_database: Database) -> AsyncIterator[str]:
    """Yield the URL of a server that runs the application in this process, with real commits.

    For WebSockets, and for clients that disconnect.
    """
    app.state.database = clean_database
    server = _Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    async with app.state.readiness, asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = server.force_exit = True
        await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # pytest handles the signals.
        yield


def _client(app: FastAPI) -> AsyncClient:
    hooks = {"response": [assert_documented]}
    return AsyncClient(transport=InProcessTransport(app), base_url="http://test", event_hooks=hooks)


@pytest.fixture
async def pool_of_two(settings: Settings) -> AsyncIterator[Database]:
    """Yield a database with a pool of two connections."""
    limits = {"pool_min_size": 0, "pool_max_size": 2}
    async with Database(settings.database.model_copy(update=limits)) as database:
        yield database
