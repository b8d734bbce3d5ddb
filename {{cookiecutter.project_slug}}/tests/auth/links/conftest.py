"""Fixtures: a queue of jobs that tests run themselves, and the mails that these send."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from fastapi import FastAPI

from app.auth.authentication import Authentication
from app.db import Database
from app.settings import Settings
from tests.auth.links.outbox import Outbox
from tests.jobs.stored import empty_queue


@pytest.fixture
async def queue(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the empty queue."""
    async with empty_queue(settings) as connection:
        yield connection


@pytest.fixture
def outbox(
    queue: asyncpg.Connection, clean_database: Database, settings: Settings, app: FastAPI
) -> Outbox:
    """Return an object that runs the queued jobs, and keeps the mails that they send."""
    return Outbox(queue, clean_database, settings, app.state.authentication)


@pytest.fixture
def optional_confirmation(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set `AUTH_REQUIRE_CONFIRMATION` to false."""
    authentication: Authentication = app.state.authentication
    changed = authentication.settings.model_copy(update={"require_confirmation": False})
    monkeypatch.setattr(authentication, "settings", changed)
