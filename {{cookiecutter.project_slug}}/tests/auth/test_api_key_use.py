"""Requests with API keys: whom they authenticate, and when a use is recorded."""

import logging
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.api_keys import record_use
from app.auth.opaque_tokens import ApiKey
from app.db import Database
from app.db.repositories.api_keys import ApiKeyUseWriter
from app.errors import UnavailableError
from tests.auth.helpers import (
    ME,
    assert_unauthorized,
    bearer_of,
    insert_api_key,
    insert_user,
    set_scopes,
)

SCOPE = "users:admin"


async def test_scopes_are_those_of_both_key_and_user(app: FastAPI, client: AsyncClient) -> None:
    user_id, _ = await insert_user(app, SCOPE)
    full, empty = [await insert_api_key(app, user_id, *scopes) for scopes in ((SCOPE,), ())]

    async def scopes(key: str) -> object:
        return (await client.get(ME, headers=bearer_of(key))).json()["scopes"]

    assert (await scopes(full), await scopes(empty)) == ([SCOPE], [])
    await set_scopes(app, user_id)
    assert await scopes(full) == []


async def test_key_ends_with_deactivation(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    user_id, _ = await insert_user(app)
    key = await insert_api_key(app, user_id)
    assert (await committing_client.get(ME, headers=bearer_of(key))).status_code == 200
    await sql.execute("UPDATE users SET credentials_version = 1")
    assert (await committing_client.get(ME, headers=bearer_of(key))).status_code == 200
    await sql.execute("UPDATE users SET is_active = false")
    assert_unauthorized(await committing_client.get(ME, headers=bearer_of(key)))


async def test_malformed_and_wrong_keys_are_rejected(app: FastAPI, client: AsyncClient) -> None:
    user_id, _ = await insert_user(app)
    key = await insert_api_key(app, user_id)
    parsed = ApiKey.parse(key)
    assert parsed is not None
    wrong = ApiKey(parsed.id, bytes(32)).encode()
    for text in (wrong, key[:-1], f"{key}=", key.replace("_", "_ "), "ak_", f"{key}\u00e9"):
        headers = {"Authorization": f"Bearer {text}".encode()}
        assert_unauthorized(await client.get(ME, headers=headers))  # type: ignore[arg-type]


async def test_use_is_recorded_at_most_once_a_minute(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    key = await insert_api_key(app, (await insert_user(app))[0])
    column = "SELECT last_used_at FROM api_keys"

    async def use() -> object:
        await committing_client.get(ME, headers=bearer_of(key))
        return await sql.fetchval(column)

    assert await sql.fetchval(column) is None
    first = await use()
    assert first is not None
    assert await use() == first
    await sql.execute("UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'")
    before = await sql.fetchval(column)
    after: Any = await use()
    assert after > before


async def test_use_is_recorded_once_by_concurrent_requests(
    app: FastAPI, clean_database: Database, sql: asyncpg.Connection
) -> None:
    app.state.database = clean_database
    key = ApiKey.parse(await insert_api_key(app, (await insert_user(app))[0]))
    assert key is not None
    times = []
    for _ in range(2):
        await record_use(key.id, clean_database)
        times.append(await sql.fetchval("SELECT last_used_at FROM api_keys"))
    assert times[0] == times[1] is not None


async def test_failure_to_record_the_use_is_logged(
    app: FastAPI,
    client: AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: ApiKeyUseWriter, __: UUID) -> None:
        raise UnavailableError("The database is read-only.")

    monkeypatch.setattr(ApiKeyUseWriter, "record", fail)
    key = await insert_api_key(app, (await insert_user(app))[0])
    with caplog.at_level(logging.WARNING, "app.auth.api_keys"):
        response = await client.get(ME, headers=bearer_of(key))
    assert response.status_code == 200
    assert "read-only" in caplog.text
    assert key not in caplog.text
