"""Changed argon2 parameters: a login replaces a stored hash by a stronger one only."""

import asyncio

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.passwords import PasswordHasher
from app.auth.settings import AuthSettings
from tests.auth.helpers import PASSWORD, log_in, register


def hasher(memory_cost: int = 32, time_cost: int = 1, parallelism: int = 1) -> PasswordHasher:
    return PasswordHasher(
        AuthSettings(
            AUTH_ARGON2_MEMORY_COST=memory_cost,
            AUTH_ARGON2_TIME_COST=time_cost,
            AUTH_ARGON2_PARALLELISM=parallelism,
        )
    )


@pytest.mark.parametrize(
    ("memory_cost", "time_cost", "parallelism", "is_rehashed"),
    [
        (64, 2, 2, False),
        (63, 2, 2, False),
        (64, 1, 2, False),
        (64, 2, 1, False),
        (128, 1, 2, False),
        (32, 4, 4, False),
        (128, 2, 2, True),
        (64, 3, 2, True),
        (64, 2, 4, True),
        (128, 3, 4, True),
    ],
)
async def test_hash_is_replaced_only_if_no_parameter_is_lower(
    memory_cost: int, time_cost: int, parallelism: int, is_rehashed: bool
) -> None:
    stored = await hasher(64, 2, 2).hash(SecretStr(PASSWORD))
    check = await hasher(memory_cost, time_cost, parallelism).verify(SecretStr(PASSWORD), stored)
    assert check.is_valid
    assert (check.upgraded_hash is not None) == is_rehashed


async def test_login_keeps_a_stronger_hash(
    app: FastAPI,
    committing_client: AsyncClient,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(app.state.authentication, "passwords", hasher(time_cost=2))
        await register(committing_client)
    stored = await sql.fetchval("SELECT password_hash FROM users")
    assert (await log_in(committing_client)).status_code == 200
    assert await sql.fetchval("SELECT password_hash FROM users") == stored


async def test_concurrent_logins_succeed_while_one_rehashes(
    app: FastAPI,
    committing_client: AsyncClient,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await register(committing_client)
    monkeypatch.setattr(app.state.authentication, "passwords", hasher(time_cost=2))
    logins = await asyncio.gather(*(log_in(committing_client) for _ in range(4)))
    assert [response.status_code for response in logins] == [200] * 4
    assert await sql.fetchval("SELECT count(*) FROM login_failures") == 0
