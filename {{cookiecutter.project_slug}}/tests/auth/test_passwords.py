"""Passwords: which are taken, how they are hashed, and what that costs everyone else."""

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

from app.auth.passwords import PasswordHasher
from app.settings import AuthSettings
from tests.auth.helpers import AUTH, EMAIL, ME, PASSWORD, log_in, new_user, register

IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        AND backend_type = 'client backend'
"""
WRONG = "wrong password"
ACCENTED, DECOMPOSED = "caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me"


@dataclass
class Work:
    """The hashes that were made and compared."""

    kinds: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most_at_once: int = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Count the work, and make each piece of it take a moment."""
    work, lock = Work(), threading.Lock()

    def counted(name: str) -> Any:
        original = getattr(Argon2Hasher, name)

        def run(*arguments: Any, **options: Any) -> Any:
            with lock:
                work.kinds[name] += 1
                work.running += 1
                work.most_at_once = max(work.most_at_once, work.running)
            try:
                time.sleep(0.01)
                return original(*arguments, **options)
            finally:
                with lock:
                    work.running -= 1

        return run

    for name in ("hash", "verify"):
        monkeypatch.setattr(Argon2Hasher, name, counted(name))
    return work


async def registered(client: AsyncClient, password: object) -> int:
    body = {"email": EMAIL, "password": password}
    return (await client.post(f"{AUTH}/register", json=body)).status_code


@pytest.mark.parametrize(
    "password",
    ["x" * 8, "x" * 256, "\0" * 8, "\U0001f600" * 256, "e\u0301" * 128, "\n" * 8, "\ufdfa" * 256],
    ids=["short", "long", "NUL", "emoji", "combining", "newlines", "growing"],
)
async def test_a_password_of_any_characters_is_taken(client: AsyncClient, password: str) -> None:
    assert await registered(client, password) == 201
    assert (await log_in(client, password=password)).status_code == 200
    assert (await log_in(client, password=password[:-1] + "y")).status_code == 401


@pytest.mark.parametrize("password", ["", "x" * 7, "x" * 257, None, 12345678, ["x" * 8]])
async def test_a_password_of_another_length_or_type_is_refused(
    client: AsyncClient, password: object
) -> None:
    assert await registered(client, password) == 422


async def test_a_password_without_end_is_refused(client: AsyncClient) -> None:
    assert await registered(client, "x" * 10_000_000) == 413
    assert (await log_in(client, password="x" * 10_000_000)).status_code == 413


async def test_half_characters_are_refused(client: AsyncClient) -> None:
    content = rb'{"email": "ada@example.com", "password": "\ud800 and more"}'
    headers = {"Content-Type": "application/json"}
    response = await client.post(f"{AUTH}/register", content=content, headers=headers)
    assert response.status_code == 422
    form = b"username=ada%40example.com&password=%ED%A0%80"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post(f"{AUTH}/token", content=form, headers=headers)
    assert response.status_code == 401


@pytest.mark.parametrize(("first", "second"), [(ACCENTED, DECOMPOSED), (DECOMPOSED, ACCENTED)])
async def test_an_accent_may_be_typed_in_two_ways(
    client: AsyncClient, first: str, second: str
) -> None:
    await register(client, password=first)
    assert (await log_in(client, password=second)).status_code == 200


async def test_a_known_address_costs_as_much_as_an_unknown_one(
    client: AsyncClient, work: Work
) -> None:
    assert await registered(client, PASSWORD) == 201
    for_unknown = work.kinds.copy()
    assert await registered(client, PASSWORD) == 409
    assert work.kinds - for_unknown == for_unknown == {"hash": 1}
    work.kinds.clear()
    for email in (EMAIL, "unknown@example.com", "no address"):
        assert (await log_in(client, email, WRONG)).status_code == 401
        assert work.kinds == {"verify": 1}
        work.kinds.clear()


async def test_nobodys_hash_takes_the_work_of_a_real_one() -> None:
    passwords = PasswordHasher(AuthSettings(AUTH_ARGON2_MEMORY_COST=64, AUTH_ARGON2_TIME_COST=2))
    real = await passwords.hash(SecretStr(PASSWORD))
    parameters = real.rsplit("$", 2)[0]
    assert passwords._dummy_hash.rsplit("$", 2)[0] == parameters
    assert len(passwords._dummy_hash) == len(real)
    assert parameters == "$argon2id$v=19$m=64,t=2,p=1"


async def test_a_hash_is_made_anew_when_the_parameters_have_changed(
    app: FastAPI, client: AsyncClient, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(client)
    stronger = AuthSettings(AUTH_ARGON2_TIME_COST=2)
    monkeypatch.setattr(app.state.authentication, "passwords", PasswordHasher(stronger))
    work.kinds.clear()
    assert (await log_in(client, password=WRONG)).status_code == 401
    assert work.kinds == {"verify": 1}
    assert (await log_in(client)).status_code == 200
    assert work.kinds == {"verify": 2, "hash": 1}
    assert (await log_in(client)).status_code == 200
    assert work.kinds == {"verify": 3, "hash": 1}


async def test_many_logins_at_once_leave_room_for_others(
    committing_client: AsyncClient, app: FastAPI, work: Work
) -> None:
    await register(committing_client)
    logins = asyncio.gather(*(log_in(committing_client) for _ in range(30)))
    alive = 0
    while not logins.done():
        assert (await committing_client.get("/livez")).status_code == 200
        alive += 1
        await asyncio.sleep(0.01)
    assert Counter(answer.status_code for answer in await logins) == {200: 30}
    assert alive > 5
    assert work.kinds["verify"] == 30
    assert work.most_at_once == app.state.authentication.settings.hash_concurrency


async def test_a_login_that_is_given_up_does_not_make_room_for_another(work: Work) -> None:
    passwords = PasswordHasher(AuthSettings())
    known = await passwords.hash(SecretStr(PASSWORD))
    tasks = [asyncio.create_task(passwords.verify(SecretStr(PASSWORD), known)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) == 10
    assert work.most_at_once == AuthSettings().hash_concurrency


async def test_no_connection_is_held_while_a_password_is_hashed(
    committing_client: AsyncClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await new_user(committing_client)
    seen: list[int] = []
    run = PasswordHasher._run

    async def watched(self: PasswordHasher, work: Any) -> Any:
        seen.append(await sql.fetchval(IN_TRANSACTION))
        return await run(self, work)

    monkeypatch.setattr(PasswordHasher, "_run", watched)
    await register(committing_client, "other@example.com")
    assert (await log_in(committing_client)).status_code == 200
    change = {"password": PASSWORD, "current_password": PASSWORD}
    assert (await committing_client.patch(ME, json=change, headers=headers)).status_code == 200
    assert seen == [0, 0, 0, 0]
