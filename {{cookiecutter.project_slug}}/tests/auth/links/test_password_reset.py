"""Forgotten passwords: who gets a link, and what it ends."""

import asyncpg
import pytest
from httpx2 import AsyncClient

from tests.auth.helpers import (
    EMAIL,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    assert_unauthorized,
    bearer,
    fail_logins,
    log_in,
    log_in_tokens,
    new_user,
    refresh,
    register,
    update_me,
)
from tests.auth.links.helpers import (
    NEW_EMAIL,
    NEW_PASSWORD,
    OTHER_PASSWORD,
    assert_invalid,
    confirm,
    forgot,
    registration_token,
    reset,
    reset_token,
    send_registration,
)
from tests.auth.links.outbox import Outbox, token_in


async def test_reset_ends_the_old_password_all_sessions_and_all_tokens(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    client = committing_client
    await register(client)
    first, second = [await log_in_tokens(client) for _ in range(2)]
    await update_me(client, bearer(first), email=NEW_EMAIL)
    change = await outbox.token()
    unused = await reset_token(client, outbox)
    await forgot(client, "Ada@Example.COM")
    mail = await outbox.mail()
    assert mail.to == EMAIL
    assert f"http://127.0.0.1:8000/reset-password?token={token_in(mail)}\n" in mail.text

    response = await reset(client, token_in(mail))
    assert (response.status_code, response.content) == (204, b"")
    for tokens in (first, second):
        assert_unauthorized(await client.get(ME, headers=bearer(tokens)))
        assert_unauthorized(await refresh(client, tokens))
    assert (await log_in(client)).status_code == 401
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200
    assert_invalid(
        await reset(client, token_in(mail)),
        await reset(client, unused),
        await reset(client, change),
    )
    assert_invalid(await confirm(client, change))
    assert await sql.fetchval("SELECT count(*) FROM account_tokens") == 0


async def test_other_users_are_not_affected(committing_client: AsyncClient, outbox: Outbox) -> None:
    client = committing_client
    other = await new_user(client, OTHER_EMAIL)
    token = await reset_token(client, outbox, OTHER_EMAIL)
    await register(client)
    assert (await reset(client, await reset_token(client, outbox))).status_code == 204
    assert (await client.get(ME, headers=other)).status_code == 200
    assert (await reset(client, token)).status_code == 204


async def test_unknown_and_inactive_users_get_no_mail(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await sql.execute("UPDATE users SET is_active = false")
    for email in (EMAIL, OTHER_EMAIL):
        response = await forgot(committing_client, email)
        assert (response.status_code, response.json()) == (202, {})
    assert await outbox.mails() == []
    assert await sql.fetchval("SELECT count(*) FROM account_tokens") == 0


async def test_token_of_a_user_who_was_deactivated_is_invalid(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    token = await reset_token(committing_client, outbox)
    await sql.execute("UPDATE users SET is_active = false")
    assert_invalid(await reset(committing_client, token), await reset(committing_client, "x"))
    await sql.execute("UPDATE users SET is_active = true")
    assert (await log_in(committing_client)).status_code == 200


async def test_changed_password_voids_tokens(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    headers = await new_user(committing_client)
    token = await reset_token(committing_client, outbox)
    response = await update_me(committing_client, headers, password=OTHER_PASSWORD)
    assert response.status_code == 200
    assert_invalid(await reset(committing_client, token))


async def test_password_reset_ends_the_throttling_of_the_account(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    await register(client)
    await fail_logins(client, 10)
    assert (await log_in(client)).status_code == 429
    assert (await reset(client, await reset_token(client, outbox))).status_code == 204
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200


@pytest.mark.parametrize("password", ["short", "x" * 257, None])
async def test_invalid_password_does_not_use_the_token(
    committing_client: AsyncClient, outbox: Outbox, password: str
) -> None:
    await register(committing_client)
    token = await reset_token(committing_client, outbox)
    response = await reset(committing_client, token, password)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "password"]
    assert (await reset(committing_client, token)).status_code == 204


async def test_late_used_and_foreign_tokens_get_the_same_response(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    client = committing_client
    await register(client)
    late = await reset_token(client, outbox)
    await sql.execute("UPDATE account_tokens SET expires_at = now()")
    registration = await registration_token(client, outbox, OTHER_EMAIL)
    used = await reset_token(client, outbox)
    assert (await reset(client, used)).status_code == 204
    password = await reset_token(client, outbox)
    tokens = ["", "x", "\0", "é😀", "A" * 43, "A" * 100_000, late, used]
    assert_invalid(*[await reset(client, token) for token in (*tokens, registration)])
    assert_invalid(*[await confirm(client, token) for token in (*tokens, password)])
    # The attempts have not used them up.
    assert (await confirm(client, registration)).status_code == 204
    assert (await reset(client, password, PASSWORD)).status_code == 204


async def test_lone_surrogate_is_an_invalid_token(client: AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    content = rb'{"token": "\ud800"}'
    response = await client.post("/api/v1/auth/confirm", content=content, headers=headers)
    assert_invalid(response)


@pytest.mark.parametrize("token", [None, 5, [], True])
async def test_token_of_another_type_is_rejected(client: AsyncClient, token: object) -> None:
    assert (await confirm(client, token)).status_code == 422
    assert (await reset(client, token)).status_code == 422


async def test_lifetimes(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    await update_me(committing_client, headers, email=NEW_EMAIL)
    await forgot(committing_client)
    await send_registration(committing_client, OTHER_EMAIL)
    await outbox.mails()
    rows = await sql.fetch(
        "SELECT purpose, round(extract(epoch FROM expires_at - now()) / 60)::int AS minutes"
        " FROM account_tokens"
    )
    assert {row["purpose"]: row["minutes"] for row in rows} == {
        "email": 1440, "password": 60, "registration": 1440,
    }  # fmt: skip
