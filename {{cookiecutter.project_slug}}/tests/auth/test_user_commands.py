"""Commands that administer users: `python -m app.cli users`."""

import asyncpg
import pytest
from httpx2 import AsyncClient

from tests.auth.helpers import (
    EMAIL,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    bearer,
    log_in,
    log_in_tokens,
    register,
)
from tests.commands.conftest import Run

ADMIN = "users:admin"
NEW_PASSWORD = "another good password"
EVENTS = "SELECT action, actor_id, request_id FROM audit_events ORDER BY id"


async def test_first_administrator_is_appointed(
    committing_client: AsyncClient, run: Run, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    headers = bearer(await log_in_tokens(committing_client))
    assert (await committing_client.get("/api/v1/admin/users", headers=headers)).status_code == 403
    result = await run("users", "grant", "Ada@example.com", ADMIN, ADMIN)
    assert (result.status, result.output) == (0, f"Scopes of {EMAIL}: {ADMIN}.\n")
    assert (await committing_client.get("/api/v1/admin/users", headers=headers)).status_code == 200
    assert [tuple(row) for row in await sql.fetch(EVENTS)] == [("grant", None, None)]


async def test_last_administrator_remains(committing_client: AsyncClient, run: Run) -> None:
    await register(committing_client)
    await run("users", "grant", EMAIL, ADMIN)
    for arguments in (["revoke", EMAIL, ADMIN], ["deactivate", EMAIL]):
        result = await run("users", *arguments)
        assert (result.status, result.output) == (1, "")
        assert "last active administrator" in result.errors
    await register(committing_client, OTHER_EMAIL)
    await run("users", "grant", OTHER_EMAIL, ADMIN)
    result = await run("users", "revoke", EMAIL, ADMIN, "removed:scope")
    assert (result.status, result.output) == (0, f"Scopes of {EMAIL}: none.\n")
    assert (await run("deactivate", EMAIL)).status == 0


async def test_users_are_listed_and_shown(committing_client: AsyncClient, run: Run) -> None:
    user = await register(committing_client)
    await register(committing_client, OTHER_EMAIL)
    await run("users", "grant", EMAIL, ADMIN)
    await run("users", "deactivate", OTHER_EMAIL)
    result = await run("users", "list")
    assert [line.split() for line in result.output.splitlines()] == [
        ["E-MAIL", "STATE", "SCOPES"],
        [OTHER_EMAIL, "inactive"],
        [EMAIL, "active", ADMIN],
    ]
    result = await run("users", "list", "--scope", ADMIN)
    assert [line.split()[0] for line in result.output.splitlines()] == ["E-MAIL", EMAIL]
    result = await run("users", "show", "ADA@example.com")
    assert result.output.splitlines()[:2] == [f"ID          {user['id']}", f"E-mail      {EMAIL}"]
    assert "hash" not in result.output


async def test_user_is_created_and_changed(
    committing_client: AsyncClient, run: Run, sql: asyncpg.Connection
) -> None:
    result = await run("users", "create", "Ada@Example.com", stdin=PASSWORD)
    assert (result.status, result.errors) == (0, "")
    tokens = await log_in_tokens(committing_client)
    assert (await run("users", "end-sessions", EMAIL)).status == 0
    assert (await committing_client.get(ME, headers=bearer(tokens))).status_code == 401
    result = await run("users", "set-password", EMAIL, stdin="short")
    assert (result.status, result.output) == (1, "")
    assert "short" not in result.errors
    result = await run("users", "set-password", EMAIL, stdin=NEW_PASSWORD)
    assert (result.status, result.errors) == (0, "")
    assert (await log_in(committing_client)).status_code == 401
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 200
    assert (await run("users", "deactivate", EMAIL)).status == 0
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 401
    assert (await run("users", "reactivate", EMAIL)).status == 0
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 200
    actions = [row["action"] for row in await sql.fetch(EVENTS)]
    assert actions == ["create", "end-sessions", "set-password", "deactivate", "reactivate"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["show"],
        ["deactivate"],
        ["reactivate"],
        ["grant", ADMIN],
        ["revoke", ADMIN],
        ["set-password"],
        ["end-sessions"],
    ],
)
async def test_unknown_user_is_an_error(run: Run, arguments: list[str]) -> None:
    name, *scopes = arguments
    result = await run("users", name, "Unknown@example.com", *scopes, stdin=PASSWORD)
    assert (result.status, result.output) == (1, "")
    assert result.errors == "There is no user unknown@example.com.\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["grant", EMAIL], ["grant", EMAIL, "unknown"], ["list", "--scope", "unknown"], ["show"]],
)
async def test_wrong_usage_prints_usage(run: Run, arguments: list[str]) -> None:
    result = await run("users", *arguments)
    assert (result.status, result.output) == (2, "")
    assert "usage: python -m app.cli users" in result.errors
