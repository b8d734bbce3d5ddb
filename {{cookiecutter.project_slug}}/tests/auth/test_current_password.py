"""Guessing the current password of an open session, and sessions while logins are throttled."""

import asyncio
from collections import Counter

import asyncpg
from httpx2 import AsyncClient

from tests.auth.helpers import (
    AUTH,
    ME,
    PASSWORD,
    bearer,
    fail,
    let_time_pass,
    log_in,
    new_user,
    refresh,
    register,
    rows,
    tokens_of,
)

OTHER = "other@example.com"


async def change(client: AsyncClient, headers: dict[str, str], current_password: str) -> int:
    body = {"current_password": current_password}
    return (await client.patch(ME, json=body, headers=headers)).status_code


async def test_failed_logins_do_not_affect_open_sessions(committing_client: AsyncClient) -> None:
    await register(committing_client)
    tokens = await tokens_of(committing_client)
    await fail(committing_client, 10)
    assert (await log_in(committing_client)).status_code == 429
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 200
    assert await change(committing_client, bearer(tokens), PASSWORD) == 200
    response = await refresh(committing_client, tokens)
    assert response.status_code == 200
    given = {"refresh_token": response.json()["refresh_token"]}
    assert (await committing_client.post(f"{AUTH}/logout", json=given)).status_code == 204
    assert (await log_in(committing_client)).status_code == 429


async def test_failed_logins_from_the_same_client_ip_do_not_affect_open_sessions(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    await fail(committing_client, 1, OTHER)
    await sql.execute(
        "INSERT INTO login_failures (account, address)"
        " SELECT n, address FROM login_failures, generate_series(1, 99) AS n"
    )
    assert (await log_in(committing_client)).status_code == 429
    assert await change(committing_client, headers, PASSWORD) == 200


async def test_the_current_password_can_be_guessed_at_ten_times(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    statuses = [await change(committing_client, headers, "wrong password") for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    assert await change(committing_client, headers, PASSWORD) == 429
    # Neither is the owner locked out by this, nor does a login reset the counter.
    headers = bearer(await tokens_of(committing_client))
    assert await change(committing_client, headers, PASSWORD) == 429
    await let_time_pass(sql, 301)
    assert await change(committing_client, headers, PASSWORD) == 200


async def test_a_right_current_password_resets_its_counter(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    await fail(committing_client, 1)
    for _ in range(9):
        await change(committing_client, headers, "wrong password")
    assert await change(committing_client, headers, PASSWORD) == 200
    assert await rows(sql) == 1
    assert await change(committing_client, headers, "wrong password") == 422


async def test_no_login_counts_as_a_wrong_current_password(
    committing_client: AsyncClient,
) -> None:
    headers = await new_user(committing_client)
    user_id = (await committing_client.get(ME, headers=headers)).json()["id"]
    assert await fail(committing_client, 10, f"user:{user_id}") == [401] * 10
    assert await change(committing_client, headers, PASSWORD) == 200


async def test_many_guesses_of_the_current_password_at_once_are_worth_no_more(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    headers = await new_user(committing_client)
    guesses = ["wrong password"] * 40
    statuses = await asyncio.gather(
        *(change(committing_client, headers, guess) for guess in guesses)
    )
    assert Counter(statuses) == {422: 10, 429: 30}
    assert await rows(sql) == 10
