"""Fixtures: the application with a known signing key, and a separate connection to its database."""

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.db import Database
from app.main import create_app
from app.settings import Settings
from tests.auth.helpers import KEY, with_auth
from tests.commands.conftest import run as run
from tests.databases import connected, url_from


def pytest_collection_modifyitems() -> None:
    """Lower the argon2 costs, so that a hash takes a millisecond, and let many requests wait."""
    os.environ |= {
        "AUTH_ARGON2_MEMORY_COST": "32",
        "AUTH_ARGON2_TIME_COST": "1",
        "AUTH_ARGON2_PARALLELISM": "1",
        "AUTH_HASH_QUEUE": "1000",
    }


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """Return an application that signs with `KEY`."""
    return create_app(with_auth(settings, secrets=(SecretStr(KEY),)))


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Open the worker's database with long timeouts, for concurrent requests on a busy machine."""
    patient = settings.database.model_copy(update={"pool_timeout": 60.0, "lock_timeout": 60.0})
    async with Database(patient) as database:
        yield database


@pytest.fixture
async def sql(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection outside the service's pool, which sees committed rows only."""
    async with connected(url_from(settings)) as connection:
        yield connection
