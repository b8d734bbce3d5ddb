"""Requests do the same work for known, unconfirmed and unknown addresses, and respond the same."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement
from httpx2 import AsyncClient, Response
from pwdlib.hashers.argon2 import Argon2Hasher

from tests.auth.helpers import EMAIL, PASSWORD, log_in, new_user, register, update_me
from tests.auth.links.helpers import (
    comparable_headers,
    confirm,
    forgot,
    registration_token,
    reset,
    reset_token,
    send_registration,
)
from tests.auth.links.outbox import Outbox

UNCONFIRMED, UNKNOWN, INACTIVE = "bob@example.com", "eve@example.com", "max@example.com"
WARM_UP = "warm@example.com"

Send = Callable[[AsyncClient, str], Awaitable[Response]]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the statements and the calls of the hash function from now on."""
    work: list[str] = []

    def record(kind: type, name: str, describe: Callable[..., str]) -> None:
        original = getattr(kind, name)

        def run(self: Any, *arguments: Any, **options: Any) -> Any:
            work.append(describe(self, *arguments))
            return original(self, *arguments, **options)

        monkeypatch.setattr(kind, name, run)

    # The layers call different methods of asyncpg.
    for name in ("execute", "_execute", "_executemany"):
        record(asyncpg.Connection, name, lambda _, query, *__: query)
    for name in ("fetch", "fetchrow", "fetchval", "executemany"):
        record(PreparedStatement, name, lambda self, *_: self.get_query())
    for name in ("hash", "verify"):
        record(Argon2Hasher, name, lambda *_, name=name: name)
    return work


async def fail_to_log_in(client: AsyncClient, email: str) -> Response:
    return await log_in(client, email, "wrong password")


async def log_in_with_the_registered_password(client: AsyncClient, email: str) -> Response:
    # For the confirmed user, another password than in the registration before.
    return await log_in(client, email, PASSWORD)


@pytest.mark.parametrize(
    ("send", "status", "expected"),
    [
        (send_registration, 202, {"hash", "INSERT INTO account_tokens", "INSERT INTO jobs"}),
        (forgot, 202, {"INSERT INTO account_tokens", "INSERT INTO jobs"}),
        (fail_to_log_in, 401, {"verify", "INSERT INTO login_failures"}),
        (log_in_with_the_registered_password, 401, {"verify", "INSERT INTO login_failures"}),
    ],
)
async def test_request_does_the_same_for_every_address(
    committing_client: AsyncClient,
    outbox: Outbox,
    sql: asyncpg.Connection,
    work: list[str],
    send: Send,
    status: int,
    expected: set[str],
) -> None:
    client = committing_client
    await register(client, EMAIL, "the password of Ada")
    await register(client, INACTIVE, "the password of Max")
    await sql.execute("UPDATE users SET is_active = false WHERE email = $1", INACTIVE)
    # With the password that the request sends: only the confirmation is missing.
    await registration_token(client, outbox, UNCONFIRMED, PASSWORD)
    # The first execution of a statement also prepares it.
    await send(client, WARM_UP)
    await outbox.take_jobs()

    found = []
    for email in (EMAIL, UNCONFIRMED, UNKNOWN, INACTIVE):
        work.clear()
        response = await send(client, email)
        done = work.copy()
        jobs = [job.job_name() for job in await outbox.take_jobs()]
        body = response.json()
        body.pop("request_id", None)
        assert response.status_code == status
        found.append((done, jobs, body, comparable_headers(response)))
        assert not [part for part in expected if not any(part in one for one in done)]
    assert found == found[:1] * 4


async def test_change_to_any_email_costs_the_same(
    committing_client: AsyncClient, outbox: Outbox, work: list[str]
) -> None:
    client = committing_client
    await register(client, EMAIL)
    await registration_token(client, outbox, UNCONFIRMED)
    headers = await new_user(client, INACTIVE)
    await update_me(client, headers, email=WARM_UP)
    await outbox.take_jobs()

    found = []
    for email in (EMAIL, UNCONFIRMED, UNKNOWN):
        work.clear()
        response = await update_me(client, headers, email=email)
        done = work.copy()
        jobs = [job.job_name() for job in await outbox.take_jobs()]
        assert jobs == ["confirm_email", "send_mail"]
        found.append((done, response.json(), comparable_headers(response)))
    assert found == found[:1] * 3


async def test_invalid_tokens_cost_the_same(
    committing_client: AsyncClient, outbox: Outbox, work: list[str], sql: asyncpg.Connection
) -> None:
    client = committing_client
    await register(client)
    late = [await reset_token(client, outbox), await registration_token(client, outbox, UNKNOWN)]
    await sql.execute("UPDATE account_tokens SET expires_at = now()")
    foreign = {
        confirm: await reset_token(client, outbox),
        reset: await registration_token(client, outbox, UNCONFIRMED),
    }
    await confirm(client, "warm up")
    for send in (confirm, reset):
        found = []
        for token in ("unknown", "", *late, foreign[send]):
            work.clear()
            await send(client, token)
            found.append(work.copy())
        assert not {"hash", "verify"} & {*found[0]}
        assert sum("account_tokens" in one for one in found[0]) == 1
        assert found == found[:1] * 5
