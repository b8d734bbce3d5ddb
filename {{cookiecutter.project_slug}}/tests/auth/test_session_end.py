"""The end of a session: its lifetimes, and its access tokens."""

import asyncpg
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.auth.helpers import (
    ME,
    assert_unauthorized,
    bearer,
    log_in_tokens,
    refresh,
    register,
)


async def test_session_ends_with_its_absolute_lifetime(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    await sql.execute("UPDATE refresh_tokens SET created_at = now() - interval '89 days'")
    tokens = (await refresh(committing_client, tokens)).json()
    end = "SELECT expires_at = created_at + interval '90 days' FROM refresh_tokens"
    assert await sql.fetchval(end) is True
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 200
    # A previous release sets the expiry without regard to the absolute lifetime.
    await sql.execute("UPDATE refresh_tokens SET created_at = now() - interval '90 days'")
    await sql.execute("UPDATE refresh_tokens SET expires_at = now() + interval '30 days'")
    assert (await refresh(committing_client, tokens)).status_code == 401


async def test_new_session_has_the_shorter_lifetime(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    settings = app.state.authentication.settings
    assert (settings.refresh_token_ttl, settings.session_ttl) == (30 * 86_400, 90 * 86_400)
    await register(committing_client)
    await log_in_tokens(committing_client)
    age = "SELECT expires_at - created_at FROM refresh_tokens"
    assert abs((await sql.fetchval(age)).total_seconds() - settings.refresh_token_ttl) < 60


async def test_access_token_of_an_ended_session_is_rejected(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    await sql.execute("UPDATE refresh_tokens SET expires_at = now()")
    assert_unauthorized(await committing_client.get(ME, headers=bearer(tokens)))


async def test_reuse_of_a_refresh_token_also_ends_the_access_tokens(
    committing_client: AsyncClient,
) -> None:
    await register(committing_client)
    first = await log_in_tokens(committing_client)
    second = (await refresh(committing_client, first)).json()
    assert (await committing_client.get(ME, headers=bearer(first))).status_code == 200
    await refresh(committing_client, first)
    for tokens in (first, second):
        assert_unauthorized(await committing_client.get(ME, headers=bearer(tokens)))
