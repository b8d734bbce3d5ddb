"""Administrators cannot end their own administration, and one always remains."""

import asyncio

import asyncpg
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.auth.helpers import authenticate, bearer_of, insert_user

USERS = "/api/v1/admin/users"
EVENTS = "/api/v1/admin/audit-events"
ADMIN = "users:admin"


async def test_administrators_cannot_end_their_own_administration(
    app: FastAPI, client: AsyncClient
) -> None:
    admin_id = await authenticate(app, client, ADMIN)
    await insert_user(app, ADMIN)
    target = f"{USERS}/{admin_id}"
    refused = [
        await client.patch(target, json={"is_active": False}),
        await client.patch(target, json={"scopes": []}),
        await client.post(f"{target}/password", json={"password": "another good password"}),
    ]
    for response in refused:
        assert response.status_code == 409
        assert response.json()["type"] == "/problems/own-administration"
    same = {"is_active": True, "scopes": [ADMIN]}
    assert (await client.patch(target, json=same)).status_code == 200
    assert (await client.get(EVENTS)).json() == []
    assert (await client.delete(f"{target}/sessions")).status_code == 204


async def test_one_of_two_administrators_who_remove_each_other_remains(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    for _ in range(5):
        await sql.execute("DELETE FROM users")
        users = [await insert_user(app, ADMIN) for _ in range(4)]
        # Each deactivates the next one.
        statuses = await asyncio.gather(
            *(
                committing_client.patch(
                    f"{USERS}/{target}", json={"is_active": False}, headers=bearer_of(token)
                )
                for (_, token), (target, _) in zip(users, users[1:] + users[:1], strict=True)
            )
        )
        assert {response.status_code for response in statuses} <= {200, 401, 409}
        assert await sql.fetchval("SELECT count(*) FROM users WHERE is_active") >= 1
