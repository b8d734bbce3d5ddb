"""Routes of the authenticated user's sessions."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.authentication import Authentication
from app.auth.tokens import TokenSubject
from app.db import Database
from tests.auth.helpers import (
    AUTH,
    EMAIL,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    assert_unauthorized,
    bearer,
    log_in_tokens,
    new_user,
    refresh,
    register,
)

SESSIONS = f"{ME}/sessions"


async def list_sessions(client: AsyncClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    response = await client.get(SESSIONS, headers=headers)
    assert response.status_code == 200, response.text
    sessions: list[dict[str, Any]] = response.json()
    return sessions


def session_id(tokens: dict[str, Any]) -> str:
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return str(claims["sid"])


async def status_of_me(client: AsyncClient, tokens: dict[str, Any]) -> int:
    return (await client.get(ME, headers=bearer(tokens))).status_code


async def log_in_as(client: AsyncClient, user_agent: str) -> dict[str, Any]:
    client.headers["User-Agent"] = user_agent
    return await log_in_tokens(client)


async def test_list_shows_the_client_and_the_current_session(
    committing_client: AsyncClient,
) -> None:
    client = committing_client
    await register(client)
    await new_user(client, OTHER_EMAIL)
    first, second = [await log_in_as(client, name) for name in ("Browser", "Phone")]
    sessions = await list_sessions(client, bearer(first))
    assert [session.keys() for session in sessions] == [
        {"id", "created_at", "last_used_at", "client", "is_current"}
    ] * 2
    assert [(each["id"], each["client"], each["is_current"]) for each in sessions] == [
        (session_id(second), "Phone", False),
        (session_id(first), "Browser", True),
    ]
    assert [each["is_current"] for each in await list_sessions(client, bearer(second))] == [
        True,
        False,
    ]


async def test_refresh_updates_the_last_use_and_the_client(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await log_in_as(committing_client, "Version 1")
    await sql.execute(
        "UPDATE refresh_tokens SET created_at = created_at - interval '1 hour',"
        " last_used_at = last_used_at - interval '1 hour'"
    )
    (before,) = await list_sessions(committing_client, bearer(tokens))
    assert before["last_used_at"] == before["created_at"]
    committing_client.headers["User-Agent"] = "Version 2"
    refreshed = (await refresh(committing_client, tokens)).json()
    assert session_id(refreshed) == session_id(tokens)
    (after,) = await list_sessions(committing_client, bearer(refreshed))
    assert (after["client"], after["created_at"]) == ("Version 2", before["created_at"])
    assert after["last_used_at"] > before["last_used_at"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [(b"", ""), (b"x" * 300, "x" * 200), (b"a\0b", "ab"), (b"\xe9\xff", "\xe9\xff")],
    ids=["empty", "long", "NUL", "Latin-1"],
)
async def test_any_user_agent_is_stored(client: AsyncClient, sent: bytes, stored: str) -> None:
    await register(client)
    form = {"username": EMAIL, "password": PASSWORD}
    headers = [(b"User-Agent", sent)]
    tokens = (await client.post(f"{AUTH}/token", data=form, headers=headers)).json()
    (session,) = await list_sessions(client, bearer(tokens))
    assert session["client"] == stored


async def test_list_has_pages_and_omits_ended_sessions(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = [await log_in_tokens(committing_client) for _ in range(3)]
    ended = UUID(session_id(tokens[1]))
    await sql.execute("UPDATE refresh_tokens SET expires_at = now() WHERE id = $1", ended)
    headers = bearer(tokens[2])
    first = await committing_client.get(f"{SESSIONS}?limit=1", headers=headers)
    assert [each["id"] for each in first.json()] == [session_id(tokens[2])]
    second = await committing_client.get(first.links["next"]["url"], headers=headers)
    assert [each["id"] for each in second.json()] == [session_id(tokens[0])]
    assert "Link" not in second.headers


async def test_ended_session_is_rejected_immediately(committing_client: AsyncClient) -> None:
    client = committing_client
    await register(client)
    tokens, other = [await log_in_tokens(client) for _ in range(2)]
    response = await client.delete(f"{SESSIONS}/{session_id(other)}", headers=bearer(tokens))
    assert (response.status_code, response.content) == (204, b"")
    assert await status_of_me(client, other) == 401
    assert_unauthorized(await refresh(client, other))
    assert len(await list_sessions(client, bearer(tokens))) == 1
    again = await client.delete(f"{SESSIONS}/{session_id(other)}", headers=bearer(tokens))
    assert again.status_code == 404


async def test_user_can_end_the_current_session(committing_client: AsyncClient) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    path = f"{SESSIONS}/{session_id(tokens)}"
    assert (await committing_client.delete(path, headers=bearer(tokens))).status_code == 204
    assert_unauthorized(await committing_client.delete(path, headers=bearer(tokens)))


async def test_session_of_another_user_is_not_found(committing_client: AsyncClient) -> None:
    client = committing_client
    headers = await new_user(client)
    await register(client, OTHER_EMAIL)
    tokens = await log_in_tokens(client, OTHER_EMAIL)
    for key in (session_id(tokens), uuid4()):
        assert (await client.delete(f"{SESSIONS}/{key}", headers=headers)).status_code == 404
    assert await status_of_me(client, tokens) == 200


async def test_all_sessions_of_only_this_user_are_ended(
    app: FastAPI, committing_client: AsyncClient
) -> None:
    client = committing_client
    other = await new_user(client, OTHER_EMAIL)
    user = await register(client)
    tokens = [await log_in_tokens(client) for _ in range(3)]
    authentication: Authentication = app.state.authentication
    without_session = authentication.access_tokens.issue(TokenSubject(UUID(user["id"]), 0))
    tokens.append({"access_token": without_session})
    assert await status_of_me(client, tokens[-1]) == 200
    assert (await client.delete(SESSIONS, headers=bearer(tokens[0]))).status_code == 204
    assert [await status_of_me(client, each) for each in tokens] == [401] * 4
    assert (await refresh(client, tokens[1])).status_code == 401
    assert (await client.get(ME, headers=other)).status_code == 200
    assert await status_of_me(client, await log_in_tokens(client)) == 200


async def test_request_without_a_session_has_no_current_one(
    app: FastAPI, client: AsyncClient
) -> None:
    user = await register(client)
    await log_in_tokens(client)
    authentication: Authentication = app.state.authentication
    token = authentication.access_tokens.issue(TokenSubject(UUID(user["id"]), 0))
    (session,) = await list_sessions(client, bearer({"access_token": token}))
    assert session["is_current"] is False


async def test_session_costs_no_additional_query(
    app: FastAPI, committing_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await new_user(committing_client)
    database: Database = app.state.database
    readers = []
    name = "read" if hasattr(database, "read") else "connection"
    original = getattr(database, name)

    def count(*arguments: Any) -> Any:
        readers.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(database, name, count)
    assert (await committing_client.get(ME, headers=headers)).status_code == 200
    assert len(readers) == 1
