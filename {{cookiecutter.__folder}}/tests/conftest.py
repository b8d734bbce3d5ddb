"""A server for the run, a database for each worker, a client for each test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import delete

from app.db import Database, metadata
from app.main import create_app
from app.settings import ServiceSettings, Settings
from tests.documented import assert_documented
from tests.environment import forget_settings
from tests.layer import isolated
from tests.servers import (
    address_of,
    create_database,
    drop_database,
    migrate,
    running_server,
    settings_for,
)

SERVER = pytest.StashKey[str]()
TEMPLATE = pytest.StashKey[str]()
STACK = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, and migrate a database on it, before there are any workers."""
    forget_settings()
    given = getattr(config, "workerinput", None)
    if given is not None:
        config.stash[SERVER], config.stash[TEMPLATE] = given["server"], given["template"]
        return
    stack = config.stash[STACK] = ExitStack()
    server = config.stash[SERVER] = stack.enter_context(running_server())
    template = config.stash[TEMPLATE] = asyncio.run(create_database(server))
    stack.callback(lambda: asyncio.run(drop_database(server, template)))
    asyncio.run(migrate(address_of(server, template)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker (of pytest-xdist) where the server is."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    node.workerinput["server"] = config.stash[SERVER]  # type: ignore[attr-defined]
    node.workerinput["template"] = config.stash[TEMPLATE]  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> str:
    """The address of the server, for tests that make databases of their own."""
    return pytestconfig.stash[SERVER]


@pytest.fixture(scope="session")
async def settings(server: str, pytestconfig: pytest.Config) -> AsyncIterator[Settings]:
    """Settings with a database of this worker, made from the template in milliseconds."""
    name = await create_database(server, template=pytestconfig.stash[TEMPLATE])
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
