"""The application with a known key, and a plain connection to its database."""

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
from tests.databases import address_in, connected


def pytest_collection_modifyitems() -> None:
    """Hash passwords as in production, but in a millisecond."""
    os.environ |= {
        "AUTH_ARGON2_MEMORY_COST": "32",
        "AUTH_ARGON2_TIME_COST": "1",
        "AUTH_ARGON2_PARALLELISM": "1",
    }


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """The application; it signs with `KEY`."""
    return create_app(with_auth(settings, secrets=(SecretStr(KEY),)))


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The worker's database, for as many at once as there are, on however busy a machine."""
    patient = settings.database.model_copy(update={"pool_timeout": 60.0, "lock_timeout": 60.0})
    async with Database(patient) as database:
        yield database


@pytest.fixture
async def sql(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside those of the service, which sees what is committed."""
    async with connected(address_in(settings)) as connection:
        yield connection
