"""Fixtures: a pool for each module, a transaction that is rolled back, and tables with rows."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import sqlalchemy as sa

from app.db import Database, Transaction
from app.settings import Settings
from tests.databases import created_tables, url_from
from tests.sql.accounts import ADDRESSES, USERS, addresses, metadata, users


class _RollBack(Exception):  # noqa: N818 - not an error
    """Ends a transaction without a commit."""


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Yield a database with new connections.

    Connections cache the types of columns, and each module creates its types again.
    """
    limits = {"pool_min_size": 0, "pool_max_size": 2}
    async with Database(settings.database.model_copy(update=limits)) as database:
        yield database


@pytest.fixture
async def transaction(database: Database) -> AsyncIterator[Transaction]:
    """Yield a transaction that is rolled back after the test."""
    with suppress(_RollBack):
        async with database.transaction() as transaction:
            yield transaction
            raise _RollBack


@pytest.fixture(scope="module")
async def accounts(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Create the tables of the tutorial with their rows, and drop them after the module."""
    async with created_tables(url_from(settings), metadata):
        async with database.transaction() as transaction:
            await transaction.execute(sa.insert(users), USERS)
            await transaction.execute(sa.insert(addresses), ADDRESSES)
        yield
