"""Administration of users over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.auth.helpers import (
    ME,
    OTHER_EMAIL,
    assert_unauthorized,
    authenticate,
    bearer,
    bearer_of,
    insert_api_key,
    insert_user,
    log_in,
    log_in_tokens,
    refresh,
    register,
)

USERS = "/api/v1/admin/users"
EVENTS = "/api/v1/admin/audit-events"
ADMIN = "users:admin"
NEW_PASSWORD = "another good password"


@pytest.fixture
async def admin_id(app: FastAPI, client: AsyncClient) -> UUID:
    """Authenticate the client as an administrator."""
    return await authenticate(app, client, ADMIN)


async def events(client: AsyncClient, **query: object) -> list[tuple[str, Any]]:
    """Return the actions and details of audit events, the oldest first."""
    response = await client.get(EVENTS, params=query)  # type: ignore[arg-type]
    assert response.status_code == 200, response.text
    return [(event["action"], event["details"]) for event in reversed(response.json())]


async def test_users_are_listed(app: FastAPI, client: AsyncClient, admin_id: UUID) -> None:
    first, _ = await insert_user(app)
    ada = await register(client)
    await client.patch(f"{USERS}/{first}", json={"is_active": False})

    async def listed(**query: object) -> list[str]:
        response = await client.get(USERS, params=query)  # type: ignore[arg-type]
        assert response.status_code == 200, response.text
        return [user["id"] for user in response.json()]

    all_ids = {str(admin_id), str(first), ada["id"]}
    assert {*await listed()} == all_ids
    assert await listed(email="ADA@example.com") == [ada["id"]]
    assert await listed(email="nobody@example.com") == []
    assert await listed(is_active=False) == [str(first)]
    assert await listed(scope=ADMIN) == [str(admin_id)]
    emails = [user["email"] for user in (await client.get(f"{USERS}?sort=email")).json()]
    assert emails == sorted(emails)
    page = await client.get(USERS, params={"limit": 2, "sort": "-email"})
    rest = await client.get(page.links["next"]["url"])
    assert {user["id"] for user in [*page.json(), *rest.json()]} == all_ids
    assert (await client.get(USERS, params={"scope": "unknown"})).status_code == 422


async def test_user_is_shown_without_credentials(client: AsyncClient, admin_id: UUID) -> None:
    response = await client.get(f"{USERS}/{admin_id}")
    user = response.json()
    assert response.status_code == 200
    assert user.keys() == {"id", "email", "is_active", "scopes", "created_at"}
    assert user["scopes"] == [ADMIN]


async def test_deactivation_is_immediate_and_can_be_undone(
    committing_client: AsyncClient, app: FastAPI
) -> None:
    client = committing_client
    user = await register(client)
    tokens = await log_in_tokens(client)
    key = await insert_api_key(app, UUID(user["id"]))
    await authenticate(app, client, ADMIN)
    target = f"{USERS}/{user['id']}"
    response = await client.patch(target, json={"is_active": False})
    assert (response.status_code, response.json()["is_active"]) == (200, False)
    assert_unauthorized(await client.get(ME, headers=bearer(tokens)))
    assert_unauthorized(await client.get(ME, headers=bearer_of(key)))
    assert_unauthorized(await refresh(client, tokens))
    assert_unauthorized(await log_in(client))
    for _ in range(2):
        assert (await client.patch(target, json={"is_active": True})).json()["is_active"] is True
    assert (await log_in(client)).status_code == 200
    assert (await client.get(ME, headers=bearer_of(key))).status_code == 200
    assert_unauthorized(await client.get(ME, headers=bearer(tokens)))
    assert await events(client) == [("deactivate", {}), ("reactivate", {})]


async def test_scopes_are_replaced_and_recorded(
    app: FastAPI, client: AsyncClient, admin_id: UUID
) -> None:
    user_id, token = await insert_user(app, "removed:scope")
    target = f"{USERS}/{user_id}"
    response = await client.patch(target, json={"scopes": [ADMIN, ADMIN]})
    assert (response.status_code, response.json()["scopes"]) == (200, [ADMIN])
    assert (await client.get(USERS, headers=bearer_of(token))).status_code == 200
    assert (await client.patch(target, json={})).json()["scopes"] == [ADMIN]
    assert (await client.patch(target, json={"scopes": []})).json()["scopes"] == []
    assert (await client.get(USERS, headers=bearer_of(token))).status_code == 403
    assert await events(client, target_id=user_id, actor_id=admin_id) == [
        ("grant", {"scopes": [ADMIN]}),
        ("revoke", {"scopes": ["removed:scope"]}),
        ("revoke", {"scopes": [ADMIN]}),
    ]
    assert await events(client, target_id=admin_id) == []
    assert await events(client, actor_id=user_id) == []


async def test_event_names_the_request(app: FastAPI, client: AsyncClient, admin_id: UUID) -> None:
    user_id, _ = await insert_user(app)
    headers = {"X-Request-ID": "r" * 128}
    await client.delete(f"{USERS}/{user_id}/sessions", headers=headers)
    (event,) = (await client.get(EVENTS)).json()
    assert event["request_id"] == "r" * 128
    assert (event["actor_id"], event["target_id"]) == (str(admin_id), str(user_id))


async def test_password_is_set(committing_client: AsyncClient, app: FastAPI) -> None:
    client = committing_client
    user = await register(client)
    tokens = await log_in_tokens(client)
    await authenticate(app, client, ADMIN)
    target = f"{USERS}/{user['id']}/password"
    assert (await client.post(target, json={"password": "short"})).status_code == 422
    assert (await client.post(target, json={"password": NEW_PASSWORD})).status_code == 204
    assert_unauthorized(await client.get(ME, headers=bearer(tokens)))
    assert_unauthorized(await refresh(client, tokens))
    assert_unauthorized(await log_in(client))
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200
    assert await events(client) == [("set-password", {})]


async def test_sessions_are_ended(committing_client: AsyncClient, app: FastAPI) -> None:
    client = committing_client
    user = await register(client)
    tokens = await log_in_tokens(client)
    await authenticate(app, client, ADMIN)
    assert (await client.delete(f"{USERS}/{user['id']}/sessions")).status_code == 204
    assert_unauthorized(await client.get(ME, headers=bearer(tokens)))
    assert_unauthorized(await refresh(client, tokens))
    assert (await log_in(client)).status_code == 200
    assert await events(client) == [("end-sessions", {})]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"is_active": False}),
        ("PATCH", "", {"scopes": []}),
        ("PATCH", "", {}),
        ("POST", "/password", {"password": NEW_PASSWORD}),
        ("DELETE", "/sessions", None),
    ],
)
@pytest.mark.usefixtures("admin_id")
async def test_unknown_user_is_404(
    client: AsyncClient, method: str, path: str, body: object
) -> None:
    response = await client.request(method, f"{USERS}/{uuid4()}{path}", json=body)
    assert response.status_code == 404
    assert await events(client) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"is_active": None},
        {"is_active": "false"},
        {"scopes": None},
        {"scopes": ["unknown"]},
        {"scopes": ["\0"]},
        {"email": OTHER_EMAIL},
    ],
)
async def test_invalid_update_is_rejected(
    client: AsyncClient, admin_id: UUID, changes: dict[str, object]
) -> None:
    response = await client.patch(f"{USERS}/{admin_id}", json=changes)
    assert response.status_code == 422


async def test_api_key_with_the_scope_administers(app: FastAPI, client: AsyncClient) -> None:
    user_id, _ = await insert_user(app, ADMIN)
    target, _ = await insert_user(app)
    key = await insert_api_key(app, user_id, ADMIN)
    response = await client.delete(f"{USERS}/{target}/sessions", headers=bearer_of(key))
    assert response.status_code == 204
