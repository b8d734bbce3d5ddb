"""API keys: creation, use, limits and revocation."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.auth.api_keys import MAX_KEYS
from tests.auth.helpers import (
    ME,
    assert_unauthorized,
    authenticate,
    bearer_of,
    insert_api_key,
    insert_user,
)

KEYS = f"{ME}/api-keys"
SCOPE = "users:admin"


async def create(client: AsyncClient, *scopes: str, name: str = "import") -> Response:
    return await client.post(KEYS, json={"name": name, "scopes": [*scopes]})


async def created(client: AsyncClient, *scopes: str) -> dict[str, Any]:
    response = await create(client, *scopes)
    assert response.status_code == 201, response.text
    key: dict[str, Any] = response.json()
    return key


async def test_key_is_shown_once(app: FastAPI, client: AsyncClient) -> None:
    await authenticate(app, client, SCOPE)
    response = await create(client, SCOPE, SCOPE)
    body = response.json()
    key = body.pop("key")
    assert (response.status_code, response.headers["Cache-Control"]) == (201, "no-store")
    assert body.items() >= {"name": "import", "scopes": [SCOPE], "last_used_at": None}.items()
    assert (await client.get(response.headers["Location"])).json() == body
    assert (await client.get(KEYS)).json() == [body]
    assert key.startswith("ak_")
    assert len(key) == 67


async def test_key_authenticates_its_user(app: FastAPI, client: AsyncClient) -> None:
    user_id = await authenticate(app, client)
    key = await created(client)
    response = await client.get(ME, headers=bearer_of(key["key"]))
    assert (response.status_code, response.json()["id"]) == (200, str(user_id))


async def test_keys_are_listed_newest_first(app: FastAPI, client: AsyncClient) -> None:
    await authenticate(app, client)
    created_ids = [(await created(client))["id"] for _ in range(6)]
    ids = [key["id"] for key in (await client.get(KEYS)).json()]
    assert ids == created_ids[::-1]
    first = await client.get(KEYS, params={"limit": 4})
    second = await client.get(first.links["next"]["url"])
    assert [key["id"] for page in (first, second) for key in page.json()] == ids


async def test_scopes_of_others_cannot_be_given(app: FastAPI, client: AsyncClient) -> None:
    await authenticate(app, client)
    response = await create(client, SCOPE)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["loc"]) == (422, ["body", "scopes"])
    assert SCOPE in error["msg"]
    assert (await client.get(KEYS)).json() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "\0"),
        ("name", None),
        ("scopes", ["unknown"]),
        ("scopes", ["\0"]),
        ("scopes", SCOPE),
        ("scopes", [SCOPE] * 101),
        ("key", "ak_"),
    ],
)
async def test_invalid_key_is_rejected(
    app: FastAPI, client: AsyncClient, field: str, value: object
) -> None:
    await authenticate(app, client, SCOPE)
    response = await client.post(KEYS, json={"name": "import", "scopes": [], field: value})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][:2] == ["body", field]


@pytest.mark.parametrize("path", ["", "/{}"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
async def test_key_does_not_manage_the_account(
    app: FastAPI, client: AsyncClient, method: str, path: str
) -> None:
    user_id, _ = await insert_user(app)
    key = await insert_api_key(app, user_id)
    target = ME if method == "PATCH" else KEYS + path.format(uuid4())
    response = await client.request(method, target, json={}, headers=bearer_of(key))
    if response.status_code != 405:
        assert_unauthorized(response)


async def test_revoked_key_is_rejected(app: FastAPI, client: AsyncClient) -> None:
    await authenticate(app, client)
    key = await created(client)
    assert (await client.delete(f"{KEYS}/{key['id']}")).status_code == 204
    assert_unauthorized(await client.get(ME, headers=bearer_of(key["key"])))
    assert (await client.delete(f"{KEYS}/{key['id']}")).status_code == 404


async def test_keys_of_other_users_are_not_found(app: FastAPI, client: AsyncClient) -> None:
    await authenticate(app, client)
    key = await created(client)
    await authenticate(app, client)
    target = f"{KEYS}/{key['id']}"
    assert (await client.get(target)).status_code == 404
    assert (await client.delete(target)).status_code == 404
    assert (await client.get(ME, headers=bearer_of(key["key"]))).status_code == 200


async def test_number_of_keys_is_limited_under_concurrency(
    app: FastAPI, committing_client: AsyncClient
) -> None:
    user_id = await authenticate(app, committing_client)
    for _ in range(MAX_KEYS - 2):
        await insert_api_key(app, user_id)
    responses = await asyncio.gather(*(create(committing_client) for _ in range(6)))
    assert sorted(response.status_code for response in responses) == [201] * 2 + [409] * 4
    assert len((await committing_client.get(KEYS, params={"limit": 100})).json()) == MAX_KEYS
    types = {response.json().get("type") for response in responses} - {None}
    assert types == {"/problems/too-many-api-keys"}
