"""Changes of a user by that user, and what they end."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.auth.passwords import PasswordCheck, PasswordHasher
from tests.auth.helpers import (
    EMAIL,
    ME,
    PASSWORD,
    assert_unauthorized,
    bearer,
    log_in,
    new_user,
    refresh,
    register,
    tokens_of,
)

NEW_EMAIL, NEW_PASSWORD = "lovelace@example.com", "another good password"


async def test_a_new_address_is_the_one_to_log_in_with(client: AsyncClient) -> None:
    headers = await new_user(client)
    before = (await client.get(ME, headers=headers)).json()
    change = {"email": "Lovelace@Example.com", "current_password": PASSWORD}
    response = await client.patch(ME, json=change, headers=headers)
    assert (response.status_code, response.json()) == (200, {**before, "email": NEW_EMAIL})
    assert (await client.get(ME, headers=headers)).json()["email"] == NEW_EMAIL
    assert (await log_in(client, NEW_EMAIL)).status_code == 200
    assert (await log_in(client, EMAIL)).status_code == 401


async def test_a_new_password_ends_all_logins_at_once(committing_client: AsyncClient) -> None:
    await register(committing_client)
    first, second = [await tokens_of(committing_client) for _ in range(2)]
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    response = await committing_client.patch(ME, json=change, headers=bearer(first))
    assert response.status_code == 200
    for tokens in (first, second):
        assert_unauthorized(await committing_client.get(ME, headers=bearer(tokens)))
        assert_unauthorized(await refresh(committing_client, tokens))
    assert (await log_in(committing_client)).status_code == 401
    tokens = await tokens_of(committing_client, password=NEW_PASSWORD)
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 200


async def test_the_old_password_is_no_good_while_it_is_replaced(
    committing_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await new_user(committing_client)
    verify = PasswordHasher.verify

    async def overtaken(*arguments: Any) -> PasswordCheck:
        verdict = await verify(*arguments)
        monkeypatch.setattr(PasswordHasher, "verify", verify)
        change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
        response = await committing_client.patch(ME, json=change, headers=headers)
        assert response.status_code == 200
        return verdict

    monkeypatch.setattr(PasswordHasher, "verify", overtaken)
    assert_unauthorized(await log_in(committing_client))
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 200


async def test_nothing_changes_with_a_wrong_current_password(client: AsyncClient) -> None:
    headers = await new_user(client)
    change = {"email": NEW_EMAIL, "password": NEW_PASSWORD, "current_password": "wrong"}
    response = await client.patch(ME, json=change, headers=headers)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "current_password"]
    assert (await client.get(ME, headers=headers)).json()["email"] == EMAIL
    assert (await log_in(client)).status_code == 200


async def test_an_address_that_is_taken_changes_nothing(committing_client: AsyncClient) -> None:
    await register(committing_client, NEW_EMAIL)
    headers = await new_user(committing_client)
    change = {"email": NEW_EMAIL, "password": NEW_PASSWORD, "current_password": PASSWORD}
    response = await committing_client.patch(ME, json=change, headers=headers)
    assert (response.status_code, response.json()["field"]) == (409, "email")
    assert (await committing_client.get(ME, headers=headers)).status_code == 200
    assert (await log_in(committing_client)).status_code == 200


async def test_without_a_change_all_stays(client: AsyncClient) -> None:
    headers = await new_user(client)
    before = (await client.get(ME, headers=headers)).json()
    for change in ({}, {"email": EMAIL}):
        response = await client.patch(
            ME, json={**change, "current_password": PASSWORD}, headers=headers
        )
        assert (response.status_code, response.json()) == (200, before)
    assert (await client.get(ME, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, "current_password"),
        ({"email": None, "current_password": PASSWORD}, "email"),
        ({"password": None, "current_password": PASSWORD}, "password"),
        ({"password": "short", "current_password": PASSWORD}, "password"),
        ({"is_active": True, "current_password": PASSWORD}, "is_active"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    client: AsyncClient, change: dict[str, object], field: str
) -> None:
    headers = await new_user(client)
    response = await client.patch(ME, json=change, headers=headers)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_nobody_is_nobody(client: AsyncClient, method: str) -> None:
    body = {"current_password": PASSWORD}
    assert_unauthorized(await client.request(method, ME, json=body))
