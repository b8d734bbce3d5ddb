"""Logins, from their beginning to their end."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.passwords import PasswordHasher
from app.settings import AuthSettings
from tests.auth.helpers import (
    AUTH,
    EMAIL,
    ME,
    PASSWORD,
    assert_unauthorized,
    bearer,
    log_in,
    refresh,
    register,
    tokens_of,
)


async def test_a_login_brings_two_tokens_that_nobody_may_keep(client: AsyncClient) -> None:
    await register(client)
    response = await log_in(client)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json()
    assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)


async def test_the_form_may_have_what_clients_of_oauth_send(client: AsyncClient) -> None:
    await register(client)
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD, "scope": "a b"}
    form |= {"client_id": "", "client_secret": "x", "unknown": "1"}
    assert (await client.post(f"{AUTH}/token", data=form)).status_code == 200
    other = {**form, "grant_type": "client_credentials"}
    assert (await client.post(f"{AUTH}/token", data=other)).status_code == 422


async def test_what_is_wrong_with_a_login_is_not_told(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await register(committing_client, "inactive@example.com")
    await sql.execute("UPDATE users SET is_active = false WHERE email <> $1", EMAIL)
    answers = [
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
    assert [answer == answers[0] for answer in answers] == [True] * 6


@pytest.mark.parametrize("missing", ["username", "password"])
async def test_a_login_without_one_or_the_other_is_refused(
    client: AsyncClient, missing: str
) -> None:
    form = {"username": EMAIL, "password": PASSWORD}
    for value in ({}, {missing: ""}, {missing: "x" * 257}):
        response = await client.post(
            f"{AUTH}/token", data={name: form[name] for name in form if name != missing} | value
        )
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["body", missing]


async def test_a_refresh_brings_new_tokens(client: AsyncClient) -> None:
    await register(client)
    first = await tokens_of(client)
    response = await refresh(client, first)
    second = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await client.get(ME, headers=bearer(second))).status_code == 200
    assert (await refresh(client, second)).status_code == 200


async def test_the_second_use_of_a_refresh_token_ends_its_login_and_no_other(
    committing_client: AsyncClient,
) -> None:
    await register(committing_client)
    first, other = [await tokens_of(committing_client) for _ in range(2)]
    second = (await refresh(committing_client, first)).json()
    nothing = assert_unauthorized(await refresh(committing_client, first))
    assert assert_unauthorized(await refresh(committing_client, second)) == nothing
    assert assert_unauthorized(await refresh(committing_client, first)) == nothing
    assert (await refresh(committing_client, other)).status_code == 200


async def test_of_many_refreshes_at_once_one_succeeds_and_its_token_is_dead(
    committing_client: AsyncClient,
) -> None:
    await register(committing_client)
    tokens = await tokens_of(committing_client)
    answers = await asyncio.gather(*(refresh(committing_client, tokens) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 19}
    (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await refresh(committing_client, winner)).status_code == 401


async def test_a_refresh_token_expires(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await tokens_of(committing_client)
    await sql.execute("UPDATE refresh_tokens SET expires_at = now()")
    assert (await refresh(committing_client, tokens)).status_code == 401


async def test_a_user_who_is_not_active_gets_no_new_tokens(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await tokens_of(committing_client)
    await sql.execute("UPDATE users SET is_active = false")
    assert (await refresh(committing_client, tokens)).status_code == 401


async def test_no_login_is_refused_because_another_makes_the_hash_anew(
    app: FastAPI,
    committing_client: AsyncClient,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await register(committing_client)
    monkeypatch.setattr(
        app.state.authentication, "passwords", PasswordHasher(AuthSettings(AUTH_ARGON2_TIME_COST=2))
    )
    logins = await asyncio.gather(*(log_in(committing_client) for _ in range(4)))
    assert [answer.status_code for answer in logins] == [200] * 4
    assert await sql.fetchval("SELECT count(*) FROM login_failures") == 0


@pytest.mark.parametrize("text", ["", "x", "\0", "é😀", "A" * 64, "A" * 100_000])
async def test_any_other_refresh_token_is_refused(client: AsyncClient, text: str) -> None:
    assert_unauthorized(await refresh(client, {"refresh_token": text}))


async def test_a_logout_ends_the_login_and_lets_the_access_token_run_out(
    client: AsyncClient,
) -> None:
    await register(client)
    first, other = [await tokens_of(client) for _ in range(2)]
    tokens = (await refresh(client, first)).json()
    given = {"refresh_token": tokens["refresh_token"]}
    for _ in range(2):
        response = await client.post(f"{AUTH}/logout", json=given)
        assert (response.status_code, response.content) == (204, b"")
    assert (await refresh(client, tokens)).status_code == 401
    assert (await refresh(client, other)).status_code == 200
    assert (await client.get(ME, headers=bearer(tokens))).status_code == 200


@pytest.mark.parametrize("text", ["", "x", "\0", "é😀", "A" * 64])
async def test_any_string_can_be_logged_out(client: AsyncClient, text: str) -> None:
    response = await client.post(f"{AUTH}/logout", json={"refresh_token": text})
    assert response.status_code == 204


async def test_a_refresh_token_is_stored_as_a_hash_only(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    token = (await tokens_of(committing_client))["refresh_token"]
    rows: list[Any] = await sql.fetch("SELECT * FROM refresh_tokens")
    assert token not in str([dict(row) for row in rows])
    assert len(rows[0]["token_hash"]) == 64


def test_openapi_has_the_password_flow(app: Any) -> None:
    document = app.openapi()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["password"]["tokenUrl"] == f"{AUTH}/token".removeprefix("/")
    assert document["paths"][ME]["get"]["security"]
    assert {"401", "429"} <= document["paths"][f"{AUTH}/token"]["post"]["responses"].keys()
