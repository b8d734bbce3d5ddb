"""Schemathesis: valid requests get the documented responses, and invalid requests are rejected."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from conftest import Project
from httpx2 import AsyncClient
from writer import API_KEY, HEADERS

from resilience import IS_LONG
from resilience.accounts import create_user
from resilience.postgres_server import PostgresServer
from resilience.service_process import ServiceProcess, run_service

EXAMPLES = 1000 if IS_LONG else 10
# Stateful sequences are limited by time, not by number: stored rows change the responses, and
# Hypothesis then discards a sequence as not reproducible.
SECONDS = 120 if IS_LONG else 10

AUTH, ME = "/api/v1/auth", "/api/v1/users/me"
EMAIL, PASSWORD = "ada@example.com", "a test password"

# Cheap password hashing and no login throttling: neither is tested here.
RELAXED_SETTINGS = {
    "AUTH_ACCESS_TOKEN_TTL": "86400",
    "AUTH_ARGON2_MEMORY_COST": "19456",
    "AUTH_ARGON2_TIME_COST": "1",
    "AUTH_ARGON2_PARALLELISM": "1",
    "AUTH_MAX_FAILURES": "1000000000",
    "AUTH_MAX_FAILURES_PER_ADDRESS": "1000000000",
}
# An API key cannot manage the account: 401. The user of the access token has no scopes: 403.
EXPECTATIONS = """
[[operations]]
include-path-regex = "^/api/v1/(users/me|admin/users)"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "5xx"]
[[operations]]
include-path-regex = "^/api/v1/auth/(register|confirm|password)"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "422", "429", "5xx"]
"""
# These would end the session of all other requests.
EXCLUDED = ("delete_session", "delete_sessions")


@pytest.mark.fuzz
@pytest.mark.parametrize("has_key", [True, False], ids=["api_key", "access_token"])
async def test_schemathesis_finds_no_failures(
    project: Project, server: PostgresServer, database: str, has_key: bool, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(EXPECTATIONS, "utf-8")
    url = server.url(database)
    await create_user(project, url, EMAIL, PASSWORD, **RELAXED_SETTINGS)
    async with run_service(project, url, tmp_path / "log", **RELAXED_SETTINGS) as service:
        await follow_links(service, url)
        access_token = await use_account(service)
        header = "--header", f"Authorization: Bearer {API_KEY if has_key else access_token}"
        phases = "--phases", "examples,coverage,fuzzing"
        await run_schemathesis(service, *header, *phases, "--max-examples", str(EXAMPLES))
        await run_schemathesis(service, *header, "--phases", "stateful", "--max-time", str(SECONDS))
        if has_key:
            assert await documented_operations(service) <= successful_operations(service)


async def use_account(service: ServiceProcess) -> str:
    """Send a valid request to each operation whose values Schemathesis cannot guess.

    These need the password or a session, or would end the session of the user who is fuzzing.
    Returns an access token.
    """
    users = "/api/v1/admin/users"
    form = {"username": EMAIL, "password": PASSWORD}
    async with AsyncClient(base_url=service.base_url) as client:

        async def send(method: str, path: str, **options: Any) -> Any:
            response = await client.request(method, path, **options)
            assert response.is_success, response.text
            return response.json() if response.content else None

        async def log_in() -> dict[str, str]:
            tokens: dict[str, str] = await send("POST", f"{AUTH}/token", data=form)
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            return tokens

        for path in ("/{id}", ""):
            await log_in()
            (session,) = await send("GET", f"{ME}/sessions")
            await send("DELETE", f"{ME}/sessions{path.format(**session)}")
        await log_in()
        account = await send("PATCH", ME, json={"current_password": PASSWORD})
        key = await send("POST", f"{ME}/api-keys", json={"name": "test", "scopes": []})
        await send("GET", f"{ME}/api-keys")
        await send("GET", f"{ME}/api-keys/{key['id']}")
        await send("DELETE", f"{ME}/api-keys/{key['id']}")
        client.headers |= HEADERS
        target = f"{users}/{account['id']}"
        await send("GET", target)
        await send("PATCH", target, json={"scopes": []})
        await send("DELETE", f"{target}/sessions")
        await send("POST", f"{target}/password", json={"password": PASSWORD})
        refresh = {"refresh_token": (await log_in())["refresh_token"]}
        tokens = await send("POST", f"{AUTH}/refresh", json=refresh)
    access_token: str = tokens["access_token"]
    return access_token


async def follow_links(service: ServiceProcess, database_url: str) -> None:
    """Confirm an e-mail and reset a password, with tokens that Schemathesis cannot guess."""
    requests = {
        "email": ("confirm", {"token": "email"}),
        "password": ("password/reset", {"token": "password", "password": PASSWORD}),
    }
    connection = await asyncpg.connect(database_url)
    async with AsyncClient(base_url=service.base_url) as client:
        for purpose, (path, body) in requests.items():
            await connection.execute(
                "INSERT INTO account_tokens (purpose, email, user_id, token_hash, expires_at)"
                " SELECT $1::text, email, id, encode(sha256($1::text::bytea), 'hex'),"
                " now() + interval '1 hour' FROM users WHERE email = $2",
                purpose,
                EMAIL,
            )
            assert (await client.post(f"{AUTH}/{path}", json=body)).status_code == 204
    await connection.close()


async def run_schemathesis(service: ServiceProcess, *options: str) -> None:
    """Run all checks of Schemathesis against the service."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.base_url}/openapi.json"),
        *("--checks", "all", "--mode", "all", "--continue-on-failure", *options),
        *("--generation-database", "none", "--no-color"),
        *(option for name in EXCLUDED for option in ("--exclude-operation-id", name)),
        cwd=service.log.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    print(output.decode())
    if process.returncode != 0:
        pytest.fail("see the standard output", pytrace=False)


async def documented_operations(service: ServiceProcess) -> set[tuple[str, str]]:
    """Return the (method, path) pairs of the OpenAPI document."""
    async with AsyncClient() as client:
        paths = (await client.get(f"{service.base_url}/openapi.json")).json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def successful_operations(service: ServiceProcess) -> set[tuple[str, str]]:
    """Return the (method, route) pairs that have succeeded at least once."""
    accesses = [line for line in service.log_records() if line["logger"] == "app.access"]
    return {(line["method"], line["route"]) for line in accesses if line["status"] < 300}
