"""Passwords, tokens, hashes and keys appear in no log line, no response and no documentation."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from tests.auth.helpers import (
    AUTH,
    EMAIL,
    KEY,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    bearer,
    bearer_of,
    insert_api_key,
    insert_user,
    log_in,
    log_in_tokens,
    refresh,
    register,
    update_me,
)

WRONG = "wrong-and-still-a-secret"
SHORT = "tiny-1"


async def registrations(client: AsyncClient) -> AsyncIterator[Response]:
    """Register another user, and try to register invalid and known ones."""
    for email, password in ((OTHER_EMAIL, PASSWORD), (EMAIL, WRONG), ("x", WRONG), (EMAIL, SHORT)):
        new = {"email": email, "password": password}
        yield await client.post(f"{AUTH}/register", json={**new, "extra": WRONG})
        yield await client.post(f"{AUTH}/register", json=new)


async def failing_requests(client: AsyncClient, tokens: dict[str, Any]) -> AsyncIterator[Response]:
    """Send wrong passwords and invalid tokens."""
    for password in (WRONG, WRONG * 20):
        yield await log_in(client, password=password)
    change = {"current_password": WRONG, "password": PASSWORD}
    yield await update_me(client, bearer(tokens), **change, email=WRONG)
    yield await update_me(client, bearer(tokens), **change)
    forged = {"Authorization": f"Bearer {tokens['access_token']}x"}
    yield await client.get(ME, headers=forged)
    yield await client.post(f"{AUTH}/logout", json={"refresh_token": 5})


async def test_secrets_are_neither_logged_nor_returned(
    committing_client: AsyncClient,
    caplog: pytest.LogCaptureFixture,
    app: FastAPI,
    sql: asyncpg.Connection,
) -> None:
    client = committing_client
    with caplog.at_level(logging.DEBUG):
        await register(client)
        responses = [response async for response in registrations(client)]
        tokens = await log_in_tokens(client)
        responses += [response async for response in failing_requests(client, tokens)]
        rotated = (await refresh(client, tokens)).json()
        responses.append(await refresh(client, tokens))
        key = await insert_api_key(app, (await insert_user(app))[0])
        responses.append(await client.get(ME, headers=bearer_of(key)))
        responses.append(await client.get(ME, headers=bearer_of(f"{key}x")))
    assert len(responses) == 17
    hashes = [row["password_hash"] for row in await sql.fetch("SELECT password_hash FROM users")]
    pairs = [pair[name] for pair in (tokens, rotated) for name in ("access_token", "refresh_token")]
    secrets = [PASSWORD, WRONG, SHORT, KEY, key, "$argon2", *hashes, *pairs]
    log = caplog.text + str([vars(record) for record in caplog.records])
    output = log + "".join(response.text for response in responses) + json.dumps(app.openapi())
    assert "/api/v1/auth/token" in output
    assert [secret for secret in secrets if secret in output] == []
