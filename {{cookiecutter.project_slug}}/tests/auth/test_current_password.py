"""Throttling of the current password, which is separate from the throttling of logins."""

import asyncio
from collections import Counter

import asyncpg
from httpx2 import AsyncClient

from tests.auth.helpers import (
    AUTH,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    WRONG_PASSWORD,
    age_failures,
    bearer,
    copy_failure,
    count_failures,
    fail_logins,
    log_in,
    log_in_tokens,
    new_user,
    refresh,
    register,
    update_me,
)


async def confirm(client: AsyncClient, headers: dict[str, str], password: str) -> int:
    """Send a change that only confirms the current password; return the status."""
    return (await update_me(client, headers, current_password=password)).status_code


async def test_failed_logins_do_not_affect_open_sessions(committing_client: AsyncClient) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    await fail_logins(committing_client, 10)
    assert (await log_in(committing_client)).status_code == 429
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 200
    assert await confirm(committing_client, bearer(tokens), PASSWORD) == 200
    response = await refresh(committing_client, tokens)
    assert response.status_code == 200
    body = {"refresh_token": response.json()["refresh_token"]}
    assert (await committing_client.post(f"{AUTH}/logout", json=body)).status_code == 204
    assert (await log_in(committing_client)).status_code == 429


async def test_failed_logins_from_the_same_client_ip_do_not_affect_open_sessions(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    await fail_logins(committing_client, 1, OTHER_EMAIL)
    await copy_failure(sql, 99)
    assert (await log_in(committing_client)).status_code == 429
    assert await confirm(committing_client, headers, PASSWORD) == 200


async def test_current_password_is_throttled_after_ten_failures(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    statuses = [await confirm(committing_client, headers, WRONG_PASSWORD) for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    assert await confirm(committing_client, headers, PASSWORD) == 429
    await age_failures(sql, 301)
    assert await confirm(committing_client, headers, PASSWORD) == 200


async def test_login_neither_is_blocked_by_nor_resets_the_current_password_counter(
    committing_client: AsyncClient,
) -> None:
    headers = await new_user(committing_client)
    for _ in range(10):
        await confirm(committing_client, headers, WRONG_PASSWORD)
    headers = bearer(await log_in_tokens(committing_client))
    assert await confirm(committing_client, headers, PASSWORD) == 429


async def test_correct_current_password_resets_its_counter(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    await fail_logins(committing_client, 1)
    for _ in range(9):
        await confirm(committing_client, headers, WRONG_PASSWORD)
    assert await confirm(committing_client, headers, PASSWORD) == 200
    assert await count_failures(sql) == 1
    assert await confirm(committing_client, headers, WRONG_PASSWORD) == 422


async def test_login_cannot_count_as_a_wrong_current_password(
    committing_client: AsyncClient,
) -> None:
    headers = await new_user(committing_client)
    user_id = (await committing_client.get(ME, headers=headers)).json()["id"]
    assert await fail_logins(committing_client, 10, f"user:{user_id}") == [401] * 10
    assert await confirm(committing_client, headers, PASSWORD) == 200


async def test_concurrent_guesses_of_the_current_password_cannot_exceed_the_limit(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    statuses = await asyncio.gather(
        *(confirm(committing_client, headers, WRONG_PASSWORD) for _ in range(40))
    )
    assert Counter(statuses) == {422: 10, 429: 30}
    assert await count_failures(sql) == 10
