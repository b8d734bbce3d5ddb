"""The commands for operators, as a script calls them."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from io import StringIO
from typing import NamedTuple

import asyncpg
import pytest
from httpx2 import AsyncClient

from app import cli
from app.settings import Settings
from tests.auth.helpers import EMAIL, ME, PASSWORD, bearer, log_in, refresh, register, tokens_of
from tests.databases import ROOT, address_in


class Done(NamedTuple):
    """What a command leaves behind."""

    status: int
    output: str
    errors: str


Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Call a command as a script does, with its own loop and its own connections."""
    monkeypatch.setenv("DATABASE_URL", address_in(settings))

    def call() -> tuple[int, str]:
        try:
            cli.main()
        except SystemExit as ended:
            return (1, f"{ended.code}\n") if isinstance(ended.code, str) else (ended.code or 0, "")
        return 0, ""

    async def run(*arguments: str, stdin: str = "", **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["app.cli", *arguments])
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        status, reason = await asyncio.to_thread(call)
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err + reason)

    return run


@pytest.mark.slow
async def test_it_is_a_program(settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "app.cli", "deactivate", EMAIL),
        cwd=ROOT / "docs",
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": address_in(settings)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().strip() == f"There is no user {EMAIL}."


@pytest.mark.parametrize("stdin", [PASSWORD, f"{PASSWORD}\n", f"{PASSWORD}\r\nmore"])
async def test_a_user_that_is_made_can_log_in(
    committing_client: AsyncClient, run: Run, stdin: str
) -> None:
    done = await run("create-user", "Ada@Example.com", stdin=stdin)
    assert (done.status, done.errors) == (0, "")
    assert done.output.startswith(f"Created {EMAIL}, ")
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
    committing_client: AsyncClient, run: Run, email: str, password: str, reason: str
) -> None:
    await register(committing_client)
    done = await run("create-user", email, stdin=password)
    assert (done.status, done.output) == (1, "")
    assert done.errors.startswith(reason)
    assert len(done.errors.splitlines()) == 1
    assert not password or password not in done.errors


async def test_a_user_who_is_deactivated_is_out_at_once(
    committing_client: AsyncClient, run: Run
) -> None:
    await register(committing_client)
    tokens = await tokens_of(committing_client)
    done = await run("deactivate", "ADA@example.com")
    assert (done.status, done.errors) == (0, "")
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 401
    assert (await refresh(committing_client, tokens)).status_code == 401
    assert (await log_in(committing_client)).status_code == 401


async def test_an_unknown_user_cannot_be_deactivated(run: Run) -> None:
    done = await run("deactivate", EMAIL)
    assert (done.status, done.errors) == (1, f"There is no user {EMAIL}.\n")


async def test_what_no_longer_counts_can_be_removed(
    committing_client: AsyncClient, run: Run, sql: asyncpg.Connection
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
    done = await run("purge")
    assert (done.status, done.errors) == (0, "")
    assert done.output == "Removed 2 expired logins and 151 old failures.\n"
    assert await sql.fetchval("SELECT count(*) FROM refresh_tokens") == 1
    assert await sql.fetchval("SELECT count(*) FROM login_failures") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["destroy"], ["create-user"], ["purge", "all"], ["create-user", "a@b", "pw"]]
)
async def test_a_wrong_call_is_told_how_it_is_done(run: Run, arguments: list[str]) -> None:
    done = await run(*arguments)
    assert (done.status, done.output) == (2, "")
    assert "usage: python -m app.cli" in done.errors


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"DATABASE_URL": "postgresql://nobody:hush@127.0.0.1:1/nothing"}, "cannot be reached"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"ENVIRONMENT": "production"}, "AUTH_SECRETS"),
    ],
)
async def test_a_service_that_cannot_run_says_why(
    run: Run, variables: dict[str, str], reason: str
) -> None:
    done = await run("purge", **variables)
    assert (done.status, done.output) == (1, "")
    assert reason in done.errors
    assert "Traceback" not in done.errors
    assert "hush" not in done.errors
