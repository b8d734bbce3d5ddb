"""Guessing passwords: how often, and for how long not any more."""

import asyncio
from collections import Counter

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from app.auth.login_throttle import LoginAttempt
from tests.auth.helpers import (
    EMAIL,
    ME,
    PASSWORD,
    fail,
    let_time_pass,
    log_in,
    register,
    rows,
    tokens_of,
)

OTHER = "other@example.com"


def client_at(app: FastAPI, host: str) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app, client=(host, 1)), base_url="http://test")


@pytest.mark.parametrize("email", [EMAIL, "unknown@example.com"], ids=["known", "unknown"])
async def test_an_account_can_be_guessed_at_ten_times(
    committing_client: AsyncClient, sql: asyncpg.Connection, email: str
) -> None:
    await register(committing_client)
    assert await fail(committing_client, 12, email) == [401] * 10 + [429] * 2
    response = await log_in(committing_client, email)
    assert response.status_code == 429
    assert response.json()["type"] == "/problems/too-many-failures"
    assert 290 <= int(response.headers["Retry-After"]) <= 300
    assert await rows(sql) == 10
    assert (await log_in(committing_client, OTHER, "x")).status_code == 401


async def test_it_is_over_when_the_oldest_failure_no_longer_counts(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await fail(committing_client, 1)
    await let_time_pass(sql, 200)
    await fail(committing_client, 9)
    response = await log_in(committing_client)
    assert response.status_code == 429
    assert 90 <= int(response.headers["Retry-After"]) <= 100
    await let_time_pass(sql, 101)
    assert await fail(committing_client, 2) == [401, 429]
    assert await rows(sql) == 10


async def test_a_success_clears_the_account(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await fail(committing_client, 1, OTHER)
    await fail(committing_client, 9)
    await tokens_of(committing_client)
    assert await rows(sql) == 1
    assert await fail(committing_client, 11) == [401] * 10 + [429]


async def test_an_address_can_guess_a_hundred_times(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    async with client_at(app, "2001:db8::1") as first, client_at(app, "2001:db8::2:3") as same:
        assert await fail(first, 1) == [401]
        await sql.execute(
            "INSERT INTO login_failures (account, address)"
            " SELECT n, address FROM login_failures, generate_series(1, 98) AS n"
        )
        assert await fail(same, 1, OTHER) == [401]
        assert (await log_in(first)).status_code == 429
        assert (await log_in(same)).status_code == 429
    async with client_at(app, "2001:db8:0:1::1") as other:
        assert (await log_in(other)).status_code == 200


async def test_the_later_of_two_limits_is_the_one_to_wait_for(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await fail(committing_client, 1)
    copies = "INSERT INTO login_failures (account, address, created_at) SELECT"
    await sql.execute(
        f"{copies} account, address, now() - interval '10 seconds'"
        " FROM login_failures, generate_series(2, 10)"
    )
    await sql.execute(
        f"{copies} 'another', max(address), now() - interval '200 seconds'"
        " FROM login_failures, generate_series(11, 100) AS n GROUP BY n"
    )
    response = await log_in(committing_client)
    assert response.status_code == 429
    assert 280 <= int(response.headers["Retry-After"]) <= 290


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 300, "x" * 64),
        ("", ""),
    ],
)
def test_an_address_is_kept_as_what_one_customer_has(host: str, kept: str) -> None:
    attempt = LoginAttempt.of(EMAIL, host)
    assert attempt.address == kept
    assert EMAIL not in attempt.account


async def test_many_guesses_at_once_are_worth_no_more(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    guesses = ["wrong password"] * 39 + [PASSWORD]
    answers = await asyncio.gather(
        *(log_in(committing_client, password=guess) for guess in guesses)
    )
    statuses = Counter(answer.status_code for answer in answers)
    if statuses[200]:
        # It was among the first ten, and cleared those before it.
        assert statuses[401] <= 19
    else:
        assert statuses == {401: 10, 429: 30}
    assert await rows(sql) == 10


async def test_a_right_guess_is_not_heard_once_the_limit_is_reached_meanwhile(
    committing_client: AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(committing_client)
    passwords = app.state.authentication.passwords
    verify = passwords.verify

    async def slow(*arguments: object) -> object:
        monkeypatch.setattr(passwords, "verify", verify)
        await fail(committing_client, 10)
        return await verify(*arguments)

    monkeypatch.setattr(passwords, "verify", slow)
    assert (await log_in(committing_client)).status_code == 429


async def test_what_no_longer_counts_is_removed_by_whoever_comes(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    for number in range(2):
        await fail(committing_client, 5, f"user-{number}@example.com")
    await let_time_pass(sql, 301)
    assert await rows(sql) == 10
    await fail(committing_client, 1)
    assert await rows(sql) == 1


async def test_the_address_typed_is_not_stored(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await fail(committing_client, 1, "my password by mistake")
    stored = str([dict(row) for row in await sql.fetch("SELECT * FROM login_failures")])
    assert "mistake" not in stored


async def test_documentation_has_the_limit(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert "429" in paths[ME]["patch"]["responses"]
