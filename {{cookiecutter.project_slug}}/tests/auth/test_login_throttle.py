"""Login throttling per account and per network of the client."""

import asyncio
from collections import Counter

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.auth.helpers import (
    EMAIL,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    WRONG_PASSWORD,
    age_failures,
    client_from,
    copy_failure,
    count_failures,
    fail_logins,
    log_in,
    log_in_tokens,
    register,
)


@pytest.mark.parametrize("email", [EMAIL, "unknown@example.com"], ids=["known", "unknown"])
async def test_account_is_throttled_after_ten_failures(
    committing_client: AsyncClient, sql: asyncpg.Connection, email: str
) -> None:
    await register(committing_client)
    assert await fail_logins(committing_client, 12, email) == [401] * 10 + [429] * 2
    response = await log_in(committing_client, email)
    assert response.status_code == 429
    assert response.json()["type"] == "/problems/too-many-failures"
    assert 290 <= int(response.headers["Retry-After"]) <= 300
    assert await count_failures(sql) == 10


async def test_throttled_account_does_not_affect_other_accounts(
    committing_client: AsyncClient,
) -> None:
    await fail_logins(committing_client, 11)
    assert (await log_in(committing_client)).status_code == 429
    assert await fail_logins(committing_client, 1, OTHER_EMAIL) == [401]


async def test_throttling_ends_when_the_oldest_failure_expires(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await fail_logins(committing_client, 1)
    await age_failures(sql, 200)
    await fail_logins(committing_client, 9)
    response = await log_in(committing_client)
    assert response.status_code == 429
    assert 90 <= int(response.headers["Retry-After"]) <= 100
    await age_failures(sql, 101)
    assert await fail_logins(committing_client, 2) == [401, 429]
    assert await count_failures(sql) == 10


async def test_successful_login_deletes_the_failures_of_its_account(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await fail_logins(committing_client, 1, OTHER_EMAIL)
    await fail_logins(committing_client, 9)
    await log_in_tokens(committing_client)
    assert await count_failures(sql) == 1
    assert await fail_logins(committing_client, 11) == [401] * 10 + [429]


async def test_network_is_throttled_after_a_hundred_failures(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    async with client_from(app, "2001:db8::1") as client:
        assert await fail_logins(client, 1) == [401]
        await copy_failure(sql, 98)
        async with client_from(app, "2001:db8::2:3") as same_network:
            assert await fail_logins(same_network, 1, OTHER_EMAIL) == [401]
            assert (await log_in(same_network)).status_code == 429
        assert (await log_in(client)).status_code == 429
    async with client_from(app, "2001:db8:0:1::1") as other_network:
        assert (await log_in(other_network)).status_code == 200


async def test_retry_after_is_the_longer_wait_of_both_limits(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await fail_logins(committing_client, 1)
    # The account reaches its limit with failures 10 seconds old, the network with older ones.
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


async def test_site_is_throttled_after_ten_times_as_many_failures(
    app: FastAPI, committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    async with client_from(app, "2001:db8::1") as client:
        assert await fail_logins(client, 1, OTHER_EMAIL) == [401]
    # Failures of different accounts and /64 networks of the same /48 network.
    await sql.execute(
        "INSERT INTO login_failures (account, address, site)"
        " SELECT n, n, site FROM login_failures, generate_series(1, 998) AS n"
    )
    async with (
        client_from(app, "2001:db8:0:ffff::1") as same_site,
        client_from(app, "2001:db8:1::1") as other_site,
    ):
        assert await fail_logins(same_site, 2, OTHER_EMAIL) == [401, 429]
        assert (await log_in(same_site)).status_code == 429
        assert (await log_in(other_site)).status_code == 200


async def test_concurrent_guesses_cannot_exceed_the_limit(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    guesses = [WRONG_PASSWORD] * 39 + [PASSWORD]
    responses = await asyncio.gather(
        *(log_in(committing_client, password=guess) for guess in guesses)
    )
    statuses = Counter(response.status_code for response in responses)
    if statuses[200]:
        # The correct guess was among the first ten: up to nine failures before it were deleted, and
        # ten more were allowed after it.
        assert statuses[401] <= 19
    else:
        assert statuses == {401: 10, 429: 30}
    assert await count_failures(sql) == 10


async def test_correct_password_is_rejected_when_limit_is_reached_during_hashing(
    committing_client: AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(committing_client)
    passwords = app.state.authentication.passwords
    verify = passwords.verify

    async def verify_after_ten_failures(*arguments: object) -> object:
        monkeypatch.setattr(passwords, "verify", verify)
        await fail_logins(committing_client, 10)
        return await verify(*arguments)

    monkeypatch.setattr(passwords, "verify", verify_after_ten_failures)
    assert (await log_in(committing_client)).status_code == 429


async def test_login_attempt_deletes_expired_failures(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    for number in range(2):
        await fail_logins(committing_client, 5, f"user-{number}@example.com")
    await age_failures(sql, 301)
    assert await count_failures(sql) == 10
    await fail_logins(committing_client, 1)
    assert await count_failures(sql) == 1


async def test_submitted_username_is_not_stored(
    committing_client: AsyncClient, sql: asyncpg.Connection
) -> None:
    await fail_logins(committing_client, 1, "my password by mistake")
    stored = str([dict(row) for row in await sql.fetch("SELECT * FROM login_failures")])
    assert "mistake" not in stored


async def test_openapi_documents_throttling(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert "429" in paths[ME]["patch"]["responses"]
