"""Registration sends a welcome mail, unless it fails."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from starlette.datastructures import State

from app.auth import accounts
from app.auth.mail_jobs import enqueue_welcome
from app.db import Database, Transaction
from app.errors import ConflictError
from app.job_queue import JobContext
from app.jobs.welcome_user import WelcomeUser
from app.mail.settings import MailSettings
from app.settings import Settings
from tests.auth.helpers import AUTH, EMAIL, PASSWORD, register
from tests.jobs.stored import empty_queue, stored_jobs


@pytest.fixture
async def queue(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection to the empty queue."""
    async with empty_queue(settings) as connection:
        yield connection


async def test_registration_enqueues_a_welcome_mail(
    committing_client: AsyncClient, queue: asyncpg.Connection
) -> None:
    user = await register(committing_client)

    (payload,) = await stored_jobs(queue, "welcome_user")
    assert WelcomeUser.model_validate_json(payload).user_id == UUID(user["id"])
    # The e-mail is not stored a second time.
    assert json.loads(payload).keys() == {"message_id", "user_id"}


async def test_registration_with_a_known_email_enqueues_nothing(
    committing_client: AsyncClient, queue: asyncpg.Connection
) -> None:
    await register(committing_client)
    body = {"email": EMAIL, "password": PASSWORD}
    assert (await committing_client.post(f"{AUTH}/register", json=body)).status_code == 409

    assert len(await stored_jobs(queue, "welcome_user")) == 1


async def test_rollback_leaves_neither_a_user_nor_a_mail(
    committing_client: AsyncClient, queue: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(user_id: UUID, transaction: Transaction) -> None:
        await enqueue_welcome(user_id, transaction)
        raise ConflictError("after the mail was enqueued")

    monkeypatch.setattr(accounts, "enqueue_welcome", fail)
    body = {"email": EMAIL, "password": PASSWORD}
    assert (await committing_client.post(f"{AUTH}/register", json=body)).status_code == 409

    assert await stored_jobs(queue, "welcome_user") == []
    assert await queue.fetchval("SELECT count(*) FROM users") == 0


async def test_mail_is_sent_to_the_user_with_a_link(
    app: FastAPI, client: AsyncClient, settings: Settings
) -> None:
    user = await register(client)
    database: Database = app.state.database
    context = JobContext(database=database, settings=settings, state=State())

    mail: Any = await WelcomeUser(user_id=UUID(user["id"])).compose(context)
    assert mail.to == EMAIL
    assert settings.group(MailSettings).app_url in mail.text
    assert await WelcomeUser(user_id=uuid4()).compose(context) is None
