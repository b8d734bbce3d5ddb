"""Argon2 parameters that change: a stored hash is replaced by a stronger one only."""

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.passwords import PasswordHasher
from app.settings import AuthSettings
from tests.auth.helpers import PASSWORD, log_in, register


@pytest.mark.parametrize(
    ("memory", "passes", "lanes", "is_replaced"),
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
async def test_a_hash_is_never_replaced_by_a_weaker_one(
    memory: int, passes: int, lanes: int, is_replaced: bool
) -> None:
    def passwords(memory: int, passes: int, lanes: int) -> PasswordHasher:
        return PasswordHasher(
            AuthSettings(
                AUTH_ARGON2_MEMORY_COST=memory, AUTH_ARGON2_TIME_COST=passes, AUTH_ARGON2_PARALLELISM=lanes
            )
        )

    stored = await passwords(64, 2, 2).hash(SecretStr(PASSWORD))
    verdict = await passwords(memory, passes, lanes).verify(SecretStr(PASSWORD), stored)
    assert verdict.is_right
    assert (verdict.new_hash is not None) == is_replaced


async def test_a_login_keeps_a_stronger_hash(
    app: FastAPI,
    committing_client: AsyncClient,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(
            app.state.authentication, "passwords", PasswordHasher(AuthSettings(AUTH_ARGON2_TIME_COST=2))
        )
        await register(committing_client)
    stored = await sql.fetchval("SELECT password_hash FROM users")
    assert (await log_in(committing_client)).status_code == 200
    assert await sql.fetchval("SELECT password_hash FROM users") == stored
