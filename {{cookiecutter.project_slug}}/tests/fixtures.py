"""A database for each worker, a client for each test; `conftest.py` loads this where tests run."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import delete

from app.db import Database, metadata
from app.main import create_app
from app.settings import ServiceSettings, Settings
from tests.databases import (
    address_of,
    create_database,
    drop_database,
    provide_template,
    settings_for,
)
from tests.isolation import isolated
from tests.openapi_contract import assert_documented
from tests.postgres import running_server
from tests.service_settings import forget_settings


def pytest_configure() -> None:
    """Begin without the settings of whoever runs the tests."""
    forget_settings()
    # With it, Python processes that tests start would not find the packages of this folder.
    os.environ.pop("PYTHONSAFEPATH", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow ones, so that no worker waits for another that has one left."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def server(folder: Path, processes: int) -> Iterator[str]:
    """The address of the server, for tests that make databases of their own."""
    with running_server(folder, processes) as server:
        yield server


@pytest.fixture(scope="session")
async def settings(server: str, folder: Path) -> AsyncIterator[Settings]:
    """Settings with a database of this worker, made from the template in milliseconds."""
    await provide_template(server, folder.name)
    name = await create_database(server, template=folder.name)
    service = ServiceSettings(environment="test")
    yield Settings(service=service, database=settings_for(address_of(server, name)))
    await drop_database(server, name)


@pytest.fixture
async def empty_database(server: str) -> AsyncIterator[str]:
    """The address of a database without tables."""
    name = await create_database(server)
    yield address_of(server, name)
    await drop_database(server, name)


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The worker's database; what a test commits there, it also removes."""
    async with Database(settings.database) as database:
        yield database


@pytest.fixture
async def committed(database: Database) -> AsyncIterator[Database]:
    """The worker's database for tests that commit: all tables are empty again afterwards."""
    yield database
    async with database.transaction() as transaction:
        for table in reversed(metadata.sorted_tables):
            # Of a few rows, this is quicker than TRUNCATE.
            await transaction.execute(delete(table))


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """The application; a module whose tests add routes has another."""
    return create_app(settings)


@pytest.fixture
async def client(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    """A client of the application whose changes are rolled back, even committed ones."""
    async with isolated(database) as app.state.database, _client_of(app) as client:
        yield client


@pytest.fixture
async def committing_client(app: FastAPI, committed: Database) -> AsyncIterator[AsyncClient]:
    """A client of the application as it runs: with its pool, and commits that last."""
    app.state.database = committed
    async with app.state.readiness, _client_of(app) as client:
        yield client


def _client_of(app: FastAPI) -> AsyncClient:
    hooks = {"response": [assert_documented]}
    return AsyncClient(transport=ASGITransport(app), base_url="http://test", event_hooks=hooks)
