"""Failed logins cost the same work for all accounts, also after a change of the parameters."""

from collections import Counter
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr
from sqlalchemy.dialects import postgresql

from app.auth.passwords import PasswordHasher, _parameters_of
from app.db import Database
from app.db.repositories.users import DISTINCT_PARAMETERS, UserReader
from tests.auth.helpers import PASSWORD, WRONG_PASSWORD, log_in, register
from tests.auth.test_rehashing import hasher

OLD, INACTIVE, NEW, UNKNOWN = [f"{name}@example.com" for name in ("old", "gone", "new", "none")]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the hashes that are computed, by their parameters."""
    counter: Counter[str] = Counter()
    verify, create = Argon2Hasher.verify, Argon2Hasher.hash

    def counted_verify(self: Argon2Hasher, password: Any, hash: Any) -> bool:  # noqa: A002
        counter[_parameters_of(hash)] += 1
        return verify(self, password, hash)

    def counted_hash(self: Argon2Hasher, *arguments: Any, **options: Any) -> str:
        created = create(self, *arguments, **options)
        counter[_parameters_of(created)] += 1
        return created

    monkeypatch.setattr(Argon2Hasher, "verify", counted_verify)
    monkeypatch.setattr(Argon2Hasher, "hash", counted_hash)
    return counter


async def fail(
    client: AsyncClient, work: Counter[str], email: str, password: str = WRONG_PASSWORD
) -> Counter[str]:
    """Return the work of a failed login."""
    work.clear()
    assert (await log_in(client, email, password)).status_code == 401
    return work.copy()


@pytest.mark.parametrize("changed", [hasher(64, 2), hasher(32, 3, 2)], ids=["raised", "other"])
async def test_all_failed_logins_cost_the_same_after_a_change_of_the_parameters(
    app: FastAPI,
    committing_client: AsyncClient,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    work: Counter[str],
    changed: PasswordHasher,
) -> None:
    client = committing_client
    assert await fail(client, work, UNKNOWN) == {"m=32,t=1,p=1": 1}
    for email in (OLD, INACTIVE):
        await register(client, email)
    await sql.execute("UPDATE users SET is_active = false WHERE email = $1", INACTIVE)
    monkeypatch.setattr(app.state.authentication, "passwords", changed)
    old_only = {"m=32,t=1,p=1": 1}
    for email in (OLD, UNKNOWN, INACTIVE):
        assert await fail(client, work, email) == old_only
    assert await fail(client, work, INACTIVE, PASSWORD) == old_only
    await register(client, NEW)
    both = {**old_only, changed._parameters: 1}
    for email in (OLD, NEW, UNKNOWN, INACTIVE):
        assert await fail(client, work, email) == both
    assert await fail(client, work, INACTIVE, PASSWORD) == both
    # The last hash with the old parameters is replaced.
    await sql.execute("DELETE FROM users WHERE email = $1", INACTIVE)
    assert (await log_in(client, OLD)).status_code == 200
    for email in (OLD, NEW, UNKNOWN):
        assert await fail(client, work, email) == {changed._parameters: 1}


async def test_successful_login_costs_one_hash(
    app: FastAPI, client: AsyncClient, monkeypatch: pytest.MonkeyPatch, work: Counter[str]
) -> None:
    monkeypatch.setattr(app.state.authentication, "passwords", hasher(64, 1))
    await register(client, OLD)
    # One cost is lower, so hashes are not upgraded.
    monkeypatch.setattr(app.state.authentication, "passwords", hasher(32, 2))
    await register(client, NEW)
    for email, parameters in ((OLD, "m=64,t=1,p=1"), (NEW, "m=32,t=2,p=1")):
        work.clear()
        assert (await log_in(client, email)).status_code == 200
        assert work == {parameters: 1}


async def test_hashes_of_another_format_are_not_computed(work: Counter[str]) -> None:
    check = await hasher().verify(SecretStr(PASSWORD), None, ["", "x", "m=32,t=1", "m=64,t=1,p=1"])
    assert not check.is_valid
    assert work == {"m=64,t=1,p=1": 1}


async def test_parameters_are_found_with_the_index(
    clean_database: Database, sql: asyncpg.Connection
) -> None:
    reader = UserReader(clean_database)
    assert await reader.hash_parameters(8) == []
    await sql.execute(
        "INSERT INTO users (email, password_hash)"
        " SELECT n || '@b', '$argon2id$v=19$m=' || n % 10 || ',t=1,p=1$salt$digest'"
        " FROM generate_series(1, 100) AS n"
    )
    expected = [f"m={number},t=1,p=1" for number in range(10)]
    assert await reader.hash_parameters(20) == expected
    assert await reader.hash_parameters(3) == expected[:3]
    statement = DISTINCT_PARAMETERS.params(limit=20).compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    async with sql.transaction():
        await sql.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await sql.fetch(f"EXPLAIN ANALYZE {statement}"))
    assert plan.count("ix_users_hash_parameters") == 2
    assert "Seq Scan" not in plan
