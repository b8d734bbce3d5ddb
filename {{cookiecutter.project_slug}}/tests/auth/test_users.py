"""Updates of the authenticated user, and the tokens that they revoke."""

from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from app.auth.passwords import PasswordCheck, PasswordHasher
from tests.auth.helpers import (
    EMAIL,
    ME,
    PASSWORD,
    WRONG_PASSWORD,
    assert_unauthorized,
    bearer,
    count_failures,
    log_in,
    log_in_tokens,
    new_user,
    refresh,
    register,
    update_me,
)

NEW_EMAIL, NEW_PASSWORD = "lovelace@example.com", "another good password"


async def test_changed_password_revokes_all_sessions(committing_client: AsyncClient) -> None:
    await register(committing_client)
    first, second = [await log_in_tokens(committing_client) for _ in range(2)]
    response = await update_me(committing_client, bearer(first), password=NEW_PASSWORD)
    assert response.status_code == 200
    for tokens in (first, second):
        assert_unauthorized(await committing_client.get(ME, headers=bearer(tokens)))
        assert_unauthorized(await refresh(committing_client, tokens))
    assert (await log_in(committing_client)).status_code == 401
    tokens = await log_in_tokens(committing_client, password=NEW_PASSWORD)
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 200


@pytest.fixture
async def headers_of_changing_user(
    committing_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Return the headers of a user whose password changes after it is next verified."""
    headers = await new_user(committing_client)
    verify = PasswordHasher.verify

    async def verify_then_change_password(*arguments: Any) -> PasswordCheck:
        check = await verify(*arguments)
        monkeypatch.setattr(PasswordHasher, "verify", verify)
        response = await update_me(committing_client, headers, password=NEW_PASSWORD)
        assert response.status_code == 200
        return check

    monkeypatch.setattr(PasswordHasher, "verify", verify_then_change_password)
    return headers


@pytest.mark.usefixtures("headers_of_changing_user")
async def test_login_is_rejected_if_the_password_changes_during_hashing(
    committing_client: AsyncClient,
) -> None:
    assert_unauthorized(await log_in(committing_client))
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 200


async def test_update_fails_and_counts_if_the_password_changes_during_hashing(
    committing_client: AsyncClient,
    sql: asyncpg.Connection,
    headers_of_changing_user: dict[str, str],
) -> None:
    response = await update_me(committing_client, headers_of_changing_user, email=NEW_EMAIL)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "current_password"]
    assert await count_failures(sql) == 1
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 200


async def test_wrong_current_password_changes_nothing(client: AsyncClient) -> None:
    headers = await new_user(client)
    change = {"email": NEW_EMAIL, "password": NEW_PASSWORD, "current_password": WRONG_PASSWORD}
    response = await update_me(client, headers, **change)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "current_password"]
    assert (await client.get(ME, headers=headers)).json()["email"] == EMAIL
    assert (await log_in(client)).status_code == 200


@pytest.mark.parametrize("change", [{}, {"email": EMAIL}], ids=["empty", "same"])
async def test_update_without_a_change_keeps_user_and_session(
    client: AsyncClient, change: dict[str, str]
) -> None:
    headers = await new_user(client)
    before = (await client.get(ME, headers=headers)).json()
    response = await update_me(client, headers, **change)
    assert (response.status_code, response.json()) == (200, before)
    assert (await client.get(ME, headers=headers)).status_code == 200


async def test_update_requires_the_current_password(client: AsyncClient) -> None:
    response = await client.patch(ME, json={}, headers=await new_user(client))
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "current_password"]


@pytest.mark.parametrize(
    "change", [{"email": None}, {"password": None}, {"password": "short"}, {"is_active": True}]
)
async def test_invalid_update_is_rejected(client: AsyncClient, change: dict[str, object]) -> None:
    response = await update_me(client, await new_user(client), **change)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", *change]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_me_requires_authentication(client: AsyncClient, method: str) -> None:
    body = {"current_password": PASSWORD}
    assert_unauthorized(await client.request(method, ME, json=body))
