"""Sessions, from login to logout."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.auth.helpers import (
    AUTH,
    EMAIL,
    ME,
    PASSWORD,
    assert_unauthorized,
    bearer,
    log_in,
    log_in_tokens,
    refresh,
    register,
)


async def test_login_returns_tokens_that_must_not_be_cached(client: AsyncClient) -> None:
    await register(client)
    response = await log_in(client)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json()
    assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)


async def test_login_form_ignores_other_oauth2_fields(client: AsyncClient) -> None:
    await register(client)
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD, "scope": "a b"}
    form |= {"client_id": "", "client_secret": "x", "unknown": "1"}
    assert (await client.post(f"{AUTH}/token", data=form)).status_code == 200
    other = {**form, "grant_type": "client_credentials"}
    assert (await client.post(f"{AUTH}/token", data=other)).status_code == 422


async def test_all_failed_logins_get_the_same_response(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await register(committing_client, "inactive@example.com")
    await sql.execute("UPDATE users SET is_active = false WHERE email <> $1", EMAIL)
    bodies = [
        assert_unauthorized(await log_in(committing_client, email, password))
        for email, password in (
            (EMAIL, "wrong password"),
            (EMAIL, "x"),
            ("unknown@example.com", PASSWORD),
            ("no address", PASSWORD),
            ("inactive@example.com", PASSWORD),
            ("inactive@example.com", "wrong password"),
        )
    ]
    assert bodies == bodies[:1] * 6


@pytest.mark.parametrize("missing", ["username", "password"])
async def test_login_requires_username_and_password(client: AsyncClient, missing: str) -> None:
    form = {"username": EMAIL, "password": PASSWORD}
    for value in ({}, {missing: ""}, {missing: "x" * 257}):
        response = await client.post(
            f"{AUTH}/token", data={name: form[name] for name in form if name != missing} | value
        )
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["body", missing]


async def test_refresh_returns_new_tokens(client: AsyncClient) -> None:
    await register(client)
    first = await log_in_tokens(client)
    response = await refresh(client, first)
    second = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await client.get(ME, headers=bearer(second))).status_code == 200
    assert (await refresh(client, second)).status_code == 200


async def test_reused_refresh_token_revokes_its_session_only(
    committing_client: AsyncClient,
) -> None:
    await register(committing_client)
    first, other = [await log_in_tokens(committing_client) for _ in range(2)]
    second = (await refresh(committing_client, first)).json()
    body = assert_unauthorized(await refresh(committing_client, first))
    assert assert_unauthorized(await refresh(committing_client, second)) == body
    assert assert_unauthorized(await refresh(committing_client, first)) == body
    assert (await refresh(committing_client, other)).status_code == 200


async def test_only_one_concurrent_refresh_succeeds_and_its_session_is_revoked(
    committing_client: AsyncClient,
) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    responses = await asyncio.gather(*(refresh(committing_client, tokens) for _ in range(20)))
    assert Counter(response.status_code for response in responses) == {200: 1, 401: 19}
    (winner,) = [response.json() for response in responses if response.status_code == 200]
    assert (await refresh(committing_client, winner)).status_code == 401


async def test_expired_refresh_token_is_rejected(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    await sql.execute("UPDATE refresh_tokens SET expires_at = now()")
    assert (await refresh(committing_client, tokens)).status_code == 401


async def test_refresh_of_an_inactive_user_is_rejected(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    await sql.execute("UPDATE users SET is_active = false")
    assert (await refresh(committing_client, tokens)).status_code == 401


@pytest.mark.parametrize("text", ["", "x", "\0", "é😀", "A" * 64, "A" * 100_000])
async def test_invalid_refresh_token_is_rejected(client: AsyncClient, text: str) -> None:
    assert_unauthorized(await refresh(client, {"refresh_token": text}))


async def test_logout_revokes_the_session_and_its_access_tokens(client: AsyncClient) -> None:
    await register(client)
    first, other = [await log_in_tokens(client) for _ in range(2)]
    tokens = (await refresh(client, first)).json()
    body = {"refresh_token": tokens["refresh_token"]}
    for _ in range(2):
        response = await client.post(f"{AUTH}/logout", json=body)
        assert (response.status_code, response.content) == (204, b"")
    assert (await refresh(client, tokens)).status_code == 401
    for ended in (first, tokens):
        assert (await client.get(ME, headers=bearer(ended))).status_code == 401
    assert (await client.get(ME, headers=bearer(other))).status_code == 200
    assert (await refresh(client, other)).status_code == 200


@pytest.mark.parametrize("text", ["", "x", "\0", "é😀", "A" * 64])
async def test_logout_accepts_any_string(client: AsyncClient, text: str) -> None:
    response = await client.post(f"{AUTH}/logout", json={"refresh_token": text})
    assert response.status_code == 204


async def test_refresh_token_is_stored_as_a_hash(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    token = (await log_in_tokens(committing_client))["refresh_token"]
    rows: list[Any] = await sql.fetch("SELECT * FROM refresh_tokens")
    assert token not in str([dict(row) for row in rows])
    assert len(rows[0]["token_hash"]) == 64


def test_openapi_documents_the_password_flow(app: FastAPI) -> None:
    document = app.openapi()
    scheme = document["components"]["securitySchemes"]["OAuth2PasswordBearer"]
    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["password"]["tokenUrl"] == f"{AUTH}/token".removeprefix("/")
    assert document["paths"][ME]["get"]["security"]
    assert {"401", "429"} <= document["paths"][f"{AUTH}/token"]["post"]["responses"].keys()
