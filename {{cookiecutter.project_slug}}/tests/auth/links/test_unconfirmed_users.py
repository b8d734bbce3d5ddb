"""Unconfirmed users: concurrent deletion, and administration."""

import asyncio
from collections.abc import Awaitable

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.accounts import AccountService
from app.db import Database
from tests.auth.helpers import (
    EMAIL,
    ME,
    OTHER_EMAIL,
    assert_unauthorized,
    authenticate,
    bearer,
    bearer_of,
    log_in,
    log_in_tokens,
    new_user,
    update_me,
)
from tests.auth.links.helpers import (
    NEW_EMAIL,
    NEW_PASSWORD,
    OTHER_PASSWORD,
    assert_invalid,
    confirm,
    registration_token,
    reset,
    reset_token,
    send_registration,
)
from tests.auth.links.outbox import Outbox, token_in
from tests.commands.conftest import Run
from tests.waiting import wait_until

ADMIN = "users:admin"
# Of the database of this worker. In a transaction, `pg_stat_activity` would not change.
WAITING = """
SELECT count(DISTINCT waiting.pid) FROM pg_locks AS waiting JOIN pg_locks AS held USING (pid)
JOIN pg_database ON oid = held.database
WHERE NOT waiting.granted AND datname = current_database()
"""


async def run_in_turn(
    sql: asyncpg.Connection, email: str, *awaitables: Awaitable[object]
) -> list[object]:
    """Start operations, all of which need the row of a user, so that they wait in this order."""
    tasks: list[asyncio.Future[object]] = []
    async with sql.transaction():
        await sql.execute("SELECT FROM users WHERE email = $1 FOR UPDATE", email)
        for awaitable in awaitables:
            waiting = await sql.fetchval(WAITING)
            tasks.append(task := asyncio.ensure_future(awaitable))

            async def has_begun(task: asyncio.Future[object] = task, before: int = waiting) -> bool:
                return task.done() or await sql.fetchval(WAITING) > before

            await wait_until(has_begun)
    return await asyncio.gather(*tasks)


async def test_user_who_has_just_confirmed_is_not_deleted(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    client = committing_client
    headers = await new_user(client)
    await update_me(client, headers, email=NEW_EMAIL)
    change = await outbox.token()
    registration = await registration_token(client, outbox, NEW_EMAIL)
    confirmed, changed = await run_in_turn(
        sql, NEW_EMAIL, confirm(client, registration), confirm(client, change)
    )
    assert confirmed.status_code == 204  # type: ignore[attr-defined]
    assert_invalid(changed)  # type: ignore[arg-type]
    assert (await log_in(client, NEW_EMAIL)).status_code == 200
    assert (await log_in(client, EMAIL)).status_code == 200


async def test_purge_keeps_a_user_who_gets_a_new_link(
    app: FastAPI,
    committing_client: AsyncClient,
    clean_database: Database,
    outbox: Outbox,
    sql: asyncpg.Connection,
) -> None:
    client = committing_client
    await registration_token(client, outbox)
    # As if the link had expired long ago.
    await sql.execute("DELETE FROM account_tokens")
    await send_registration(client)
    (job,) = await outbox.take_jobs()
    accounts = AccountService(clean_database, app.state.authentication)
    await run_in_turn(sql, EMAIL, outbox.run(job), accounts.purge_expired())
    assert (await confirm(client, token_in(await outbox.mail()))).status_code == 204
    assert (await log_in(client)).status_code == 200


async def test_purge_deletes_only_abandoned_users(
    app: FastAPI,
    committing_client: AsyncClient,
    clean_database: Database,
    outbox: Outbox,
    sql: asyncpg.Connection,
) -> None:
    await registration_token(committing_client, outbox)
    await sql.execute("DELETE FROM account_tokens")
    await registration_token(committing_client, outbox, NEW_EMAIL)
    await sql.execute("UPDATE users SET is_active = false WHERE email = $1", NEW_EMAIL)
    await sql.execute("DELETE FROM account_tokens")
    token = await registration_token(committing_client, outbox, OTHER_EMAIL)
    await AccountService(clean_database, app.state.authentication).purge_expired()
    emails = [row["email"] for row in await sql.fetch("SELECT email FROM users ORDER BY email")]
    assert emails == [OTHER_EMAIL, NEW_EMAIL]
    assert (await confirm(committing_client, token)).status_code == 204


async def test_password_of_an_administrator_confirms_the_user(
    app: FastAPI, committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    client = committing_client
    token = await registration_token(client, outbox)
    user_id = await sql.fetchval("SELECT id FROM users")
    await authenticate(app, client, ADMIN)
    url = f"/api/v1/admin/users/{user_id}/password"
    assert (await client.post(url, json={"password": NEW_PASSWORD})).status_code == 204
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200
    assert_invalid(await confirm(client, token))


async def test_operator_takes_over_an_unconfirmed_registration(
    committing_client: AsyncClient,
    outbox: Outbox,
    run: Run,
    app: FastAPI,
    clean_database: Database,
) -> None:
    await registration_token(committing_client, outbox)
    assert (await run("users", "create", EMAIL, stdin=f"{NEW_PASSWORD}\n")).status == 1
    assert (await run("users", "set-password", EMAIL, stdin=f"{NEW_PASSWORD}\n")).status == 0
    await AccountService(clean_database, app.state.authentication).purge_expired()
    tokens = await log_in_tokens(committing_client, password=NEW_PASSWORD)
    assert (await committing_client.get(ME, headers=bearer(tokens))).is_success


@pytest.mark.parametrize("way", ["confirmation", "reset", "administrator"])
@pytest.mark.usefixtures("optional_confirmation")
async def test_api_keys_of_another_person_end(
    app: FastAPI, committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection, way: str
) -> None:
    client = committing_client
    await registration_token(client, outbox, password=OTHER_PASSWORD)
    tokens = await log_in_tokens(client, password=OTHER_PASSWORD)
    key = await create_key(client, bearer(tokens))
    assert (await client.get(ME, headers=key)).status_code == 200
    if way == "confirmation":
        await confirm(client, await registration_token(client, outbox))
    elif way == "reset":
        await reset(client, await reset_token(client, outbox))
    else:
        await authenticate(app, client, ADMIN)
        user_id = await sql.fetchval("SELECT id FROM users WHERE email = $1", EMAIL)
        body = {"password": NEW_PASSWORD}
        await client.post(f"/api/v1/admin/users/{user_id}/password", json=body)
    assert_unauthorized(await client.get(ME, headers=key))


@pytest.mark.usefixtures("optional_confirmation")
async def test_api_keys_of_the_user_remain(committing_client: AsyncClient, outbox: Outbox) -> None:
    client = committing_client
    token = await registration_token(client, outbox)
    key = await create_key(client, bearer(await log_in_tokens(client)))
    assert (await confirm(client, token)).status_code == 204
    assert (await reset(client, await reset_token(client, outbox))).status_code == 204
    assert (await client.get(ME, headers=key)).status_code == 200


async def create_key(client: AsyncClient, headers: dict[str, str]) -> dict[str, str]:
    """Create an API key, and return the header that authenticates with it."""
    body = {"name": "import", "scopes": []}
    response = await client.post(f"{ME}/api-keys", json=body, headers=headers)
    return bearer_of(response.json()["key"])


async def test_mail_warns_of_another_registration(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    warning = "registered several times"
    for is_repeated in (False, True, True):
        await send_registration(committing_client)
        assert (warning in (await outbox.mail()).text) is is_repeated
    await sql.execute("UPDATE account_tokens SET expires_at = now()")
    await send_registration(committing_client)
    assert warning not in (await outbox.mail()).text
