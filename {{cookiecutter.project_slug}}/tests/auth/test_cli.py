"""The commands for operators, as a script calls them."""

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest
from httpx2 import AsyncClient

from app.settings import Settings
from tests.auth.users import EMAIL, ME, PASSWORD, bearer, log_in, refresh, register, tokens_of
from tests.servers import ROOT


async def run(
    settings: Settings, *arguments: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    assert settings.database.url is not None
    address = settings.database.url.get_secret_value()
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-m", "app.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, **variables},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("stdin", [PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\nmore"])
async def test_a_user_that_is_made_can_log_in(
    committing_client: AsyncClient, settings: Settings, stdin: str
) -> None:
    done = await run(settings, "create-user", "Ada@Example.com", stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Created {EMAIL}, ")
    assert (await log_in(committing_client)).status_code == 200


@pytest.mark.parametrize(
    ("email", "password", "reason"),
    [
        (EMAIL, PASSWORD, "This email is already taken."),
        ("nobody", PASSWORD, "email: "),
        ("other@example.com", "short", "password: "),
        ("other@example.com", "", "password: "),
    ],
)
async def test_a_user_that_cannot_be_is_refused(
    committing_client: AsyncClient, settings: Settings, email: str, password: str, reason: str
) -> None:
    await register(committing_client)
    done = await run(settings, "create-user", email, stdin=password)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(reason)
    assert len(done.stderr.splitlines()) == 1
    assert not password or password not in done.stderr


async def test_a_user_who_is_deactivated_is_out_at_once(
    committing_client: AsyncClient, settings: Settings
) -> None:
    await register(committing_client)
    tokens = await tokens_of(committing_client)
    done = await run(settings, "deactivate", "ADA@example.com")
    assert (done.returncode, done.stderr) == (0, "")
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 401
    assert (await refresh(committing_client, tokens)).status_code == 401
    assert (await log_in(committing_client)).status_code == 401


async def test_an_unknown_user_cannot_be_deactivated(settings: Settings) -> None:
    done = await run(settings, "deactivate", EMAIL)
    assert (done.returncode, done.stderr) == (1, f"There is no user {EMAIL}.\n")


async def test_what_no_longer_counts_can_be_removed(
    committing_client: AsyncClient, settings: Settings, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await log_in(committing_client, "other@example.com")
    for _ in range(3):
        await tokens_of(committing_client)
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
    done = await run(settings, "purge")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Removed 2 expired logins and 151 old failures.\n"
    assert await sql.fetchval("SELECT count(*) FROM refresh_tokens") == 1
    assert await sql.fetchval("SELECT count(*) FROM login_failures") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["destroy"], ["create-user"], ["purge", "all"], ["create-user", "a@b", "pw"]]
)
async def test_a_wrong_call_is_told_how_it_is_done(
    settings: Settings, arguments: list[str]
) -> None:
    done = await run(settings, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: python -m app.cli" in done.stderr


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"DATABASE_URL": "postgresql://nobody:hush@127.0.0.1:1/nothing"}, "cannot be reached"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"ENVIRONMENT": "production"}, "AUTH_SECRETS"),
    ],
)
async def test_a_service_that_cannot_run_says_why(
    settings: Settings, variables: dict[str, str], reason: str
) -> None:
    done = await run(settings, "purge", **variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr
