"""Commands that create and deactivate users, and delete expired sessions."""

import asyncio
import os
import sys

import asyncpg
import pytest
from httpx2 import AsyncClient

from app.settings import Settings
from tests.auth.helpers import EMAIL, ME, PASSWORD, bearer, log_in, log_in_tokens, refresh, register
from tests.commands.conftest import Run
from tests.databases import ROOT, url_from


@pytest.mark.slow
async def test_cli_runs_as_module(settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "app.cli", "deactivate", EMAIL),
        cwd=ROOT / "docs",
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": url_from(settings)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().strip() == f"There is no user {EMAIL}."


@pytest.mark.parametrize("stdin", [PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\nmore"])
async def test_created_user_can_log_in(
    committing_client: AsyncClient, run: Run, stdin: str
) -> None:
    result = await run("create-user", "Ada@Example.com", stdin=stdin)
    assert (result.status, result.errors) == (0, "")
    assert result.output.startswith(f"Created {EMAIL}, ")
    assert (await log_in(committing_client)).status_code == 200


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        (EMAIL, PASSWORD, "This email is already in use."),
        ("invalid", PASSWORD, "email: "),
        ("other@example.com", "short", "password: "),
        ("other@example.com", "", "password: "),
    ],
)
async def test_invalid_user_is_rejected_without_printing_the_password(
    committing_client: AsyncClient, run: Run, email: str, password: str, reason: str
) -> None:
    await register(committing_client)
    result = await run("create-user", email, stdin=password)
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(reason)
    assert len(result.errors.splitlines()) == 1
    assert not password or password not in result.errors


async def test_deactivation_revokes_tokens_and_prevents_login(
    committing_client: AsyncClient, run: Run
) -> None:
    await register(committing_client)
    tokens = await log_in_tokens(committing_client)
    result = await run("deactivate", "ADA@example.com")
    assert (result.status, result.errors) == (0, "")
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 401
    assert (await refresh(committing_client, tokens)).status_code == 401
    assert (await log_in(committing_client)).status_code == 401


async def test_deactivating_an_unknown_user_fails(run: Run) -> None:
    result = await run("deactivate", EMAIL)
    assert (result.status, result.errors) == (1, f"There is no user {EMAIL}.\n")


async def test_purge_deletes_only_expired_rows(
    committing_client: AsyncClient, run: Run, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await log_in(committing_client, "other@example.com")
    for _ in range(3):
        await log_in_tokens(committing_client)
    await sql.execute("UPDATE login_failures SET created_at = created_at - interval '1 hour'")
    await sql.execute(
        "INSERT INTO login_failures (account, address, created_at)"
        " SELECT 'a', 'b', now() - interval '1 hour' FROM generate_series(1, 250)"
    )
    await log_in(committing_client, "another@example.com")
    await sql.execute(
        "UPDATE refresh_tokens SET expires_at = now()"
        " WHERE id IN (SELECT id FROM refresh_tokens LIMIT 2)"
    )
    await sql.execute(
        "INSERT INTO rate_limits (name, network, count, expires_at)"
        " SELECT 'a', n::text, 1, now() FROM generate_series(1, 3) AS n"
        " UNION SELECT 'b', 'n', 1, now() + interval '1 hour'"
    )
    result = await run("purge")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "Deleted 2 expired sessions, 151 failed login records and 3 counts of limited requests.\n"
    )
    assert await sql.fetchval("SELECT string_agg(name, ',') FROM rate_limits") == "b"
    assert await sql.fetchval("SELECT count(*) FROM refresh_tokens") == 1
    assert await sql.fetchval("SELECT count(*) FROM login_failures") == 1


@pytest.mark.parametrize(
    "arguments", [["create-user"], ["purge", "all"], ["create-user", "a@b", "pw"]]
)
async def test_wrong_usage_prints_usage(run: Run, arguments: list[str]) -> None:
    result = await run(*arguments)
    assert (result.status, result.output) == (2, "")
    assert "usage: python -m app.cli" in result.errors


async def test_missing_secrets_are_reported(run: Run) -> None:
    result = await run("purge", ENVIRONMENT="production")
    assert (result.status, result.output) == (1, "")
    assert "AUTH_SECRETS" in result.errors
    assert "Traceback" not in result.errors
