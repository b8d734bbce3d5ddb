"""Fixtures: the tables of the writers, and a customer."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from app.db import Database
from app.settings import Settings
from tests.databases import created_tables, url_from
from tests.writers.helpers import create_customer
from tests.writers.models import metadata


@pytest.fixture(autouse=True)
async def tables(settings: Settings) -> AsyncIterator[None]:
    """Create the tables of the writers, and drop them after the test."""
    async with created_tables(url_from(settings), metadata):
        yield


@pytest.fixture
async def customer_id(database: Database, tables: None) -> UUID:  # noqa: ARG001 - creates tables
    """Return the ID of a customer."""
    return await create_customer(database, "a@example.com")
