"""Hashing of passwords: its cost, its concurrency limit, and its effect on other requests."""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from app.auth.hash_queue import HashQueue
from app.auth.passwords import PasswordHasher, _dummy_hash, _parameters_of
from app.auth.settings import AuthSettings
from tests.auth.helpers import (
    EMAIL,
    OTHER_EMAIL,
    PASSWORD,
    WRONG_PASSWORD,
    log_in,
    new_user,
    register,
    update_me,
)

COUNT_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        AND backend_type = 'client backend'
"""


@dataclass
class HashCounter:
    """Number of calls of the hash function by kind, and how many ran at the same time."""

    calls: Counter[str] = field(default_factory=Counter)
    running: int = 0
    max_running: int = 0


@pytest.fixture
def hash_counter(monkeypatch: pytest.MonkeyPatch) -> HashCounter:
    """Count calls of the hash function, and delay each by 10 ms so that they overlap."""
    counter, lock = HashCounter(), threading.Lock()

    def counted(name: str) -> Any:
        original = getattr(Argon2Hasher, name)

        def run(*arguments: Any, **options: Any) -> Any:
            with lock:
                counter.calls[name] += 1
                counter.running += 1
                counter.max_running = max(counter.max_running, counter.running)
            try:
                time.sleep(0.01)
                return original(*arguments, **options)
            finally:
                with lock:
                    counter.running -= 1

        return run

    for name in ("hash", "verify"):
        monkeypatch.setattr(Argon2Hasher, name, counted(name))
    return counter


async def test_known_and_unknown_emails_cost_the_same_work(
    client: AsyncClient, hash_counter: HashCounter
) -> None:
    await register(client)
    hash_counter.calls.clear()
    for email in (EMAIL, "unknown@example.com", "no address"):
        assert (await log_in(client, email, WRONG_PASSWORD)).status_code == 401
        assert hash_counter.calls == {"verify": 1}
        hash_counter.calls.clear()


async def test_wrong_current_password_costs_no_second_hash(
    client: AsyncClient, hash_counter: HashCounter
) -> None:
    headers = await new_user(client)
    hash_counter.calls.clear()
    change = {"current_password": WRONG_PASSWORD, "password": PASSWORD}
    assert (await update_me(client, headers, **change)).status_code == 422
    assert hash_counter.calls == {"verify": 1}


async def test_dummy_hash_has_the_parameters_of_a_real_hash() -> None:
    passwords = PasswordHasher(AuthSettings(AUTH_ARGON2_MEMORY_COST=64, AUTH_ARGON2_TIME_COST=2))
    real = await passwords.hash(SecretStr(PASSWORD))
    assert _parameters_of(real) == passwords._parameters == "m=64,t=2,p=1"
    dummy = _dummy_hash(passwords._parameters)
    assert dummy.rsplit("$", 2)[0] == real.rsplit("$", 2)[0]
    assert len(dummy) == len(real)


async def test_login_rehashes_after_parameters_were_raised(
    app: FastAPI, client: AsyncClient, hash_counter: HashCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    stronger = AuthSettings(AUTH_ARGON2_TIME_COST=2)
    monkeypatch.setattr(app.state.authentication, "passwords", PasswordHasher(stronger))
    hash_counter.calls.clear()
    assert (await log_in(client, password=WRONG_PASSWORD)).status_code == 401
    assert hash_counter.calls == {"verify": 1}
    assert (await log_in(client)).status_code == 200
    assert hash_counter.calls == {"verify": 2, "hash": 1}
    assert (await log_in(client)).status_code == 200
    assert hash_counter.calls == {"verify": 3, "hash": 1}


async def test_concurrent_logins_do_not_block_other_requests(
    committing_client: AsyncClient, app: FastAPI, hash_counter: HashCounter
) -> None:
    await register(committing_client)
    logins = asyncio.gather(*(log_in(committing_client) for _ in range(30)))
    alive = 0
    while not logins.done():
        assert (await committing_client.get("/livez")).status_code == 200
        alive += 1
        await asyncio.sleep(0.01)
    assert Counter(response.status_code for response in await logins) == {200: 30}
    assert alive > 5
    assert hash_counter.calls["verify"] == 30
    assert hash_counter.max_running == app.state.authentication.settings.hash_concurrency


async def test_cancelled_check_occupies_its_thread_until_done(
    hash_counter: HashCounter,
) -> None:
    passwords = PasswordHasher(AuthSettings())
    known = await passwords.hash(SecretStr(PASSWORD))
    tasks = [asyncio.create_task(passwords.verify(SecretStr(PASSWORD), known)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) == 10
    assert hash_counter.max_running == AuthSettings().hash_concurrency


async def test_no_transaction_is_open_while_a_password_is_hashed(
    committing_client: AsyncClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await new_user(committing_client)
    transactions: list[int] = []
    run = HashQueue.run

    async def run_and_count(self: HashQueue, work: Any) -> Any:
        transactions.append(await sql.fetchval(COUNT_TRANSACTIONS))
        return await run(self, work)

    monkeypatch.setattr(HashQueue, "run", run_and_count)
    await register(committing_client, OTHER_EMAIL)
    assert (await log_in(committing_client)).status_code == 200
    assert (await update_me(committing_client, headers, password=PASSWORD)).status_code == 200
    assert transactions == [0, 0, 0, 0]
