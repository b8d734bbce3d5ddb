"""Fixtures: the tables of the writers, and a customer."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from app.db import Database
from app.settings import Settings
from tests.databases import connected, url_from
from tests.writers.helpers import create_customer
from tests.writers.models import metadata


@pytest.fixture(autouse=True)
async def tables(settings: Settings) -> AsyncIterator[None]:
    """Create the tables of the writers, and drop them after the test."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    async with connected(url_from(settings)) as connection:
        for table in metadata.sorted_tables:
            await connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        yield
        for table in reversed(metadata.sorted_tables):
            await connection.execute(f"DROP TABLE {table.name}")


@pytest.fixture
async def customer_id(database: Database, tables: None) -> UUID:  # noqa: ARG001 - creates tables
    """Return the ID of a customer."""
    return await create_customer(database, "a@example.com")
