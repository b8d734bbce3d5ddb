"""Whatever the schema allows is answered as the schema says; whatever it forbids is refused."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project
from httpx2 import AsyncClient

from resilience.service_process import Server, Service, is_long, serving

EXAMPLES = 1000 if is_long() else 30
# What is stored changes the answers, at which Hypothesis gives up on a sequence of requests: so
# sequences are counted by the time that they may take.
SECONDS = 120 if is_long() else 10

# Passwords that are cheap, and no limit on guessing them: nothing else is tried here.
PATIENT = {
    "AUTH_ACCESS_TOKEN_TTL": "86400",
    "AUTH_ARGON2_MEMORY_COST": "19456",
    "AUTH_ARGON2_TIME_COST": "1",
    "AUTH_ARGON2_PARALLELISM": "1",
    "AUTH_MAX_FAILURES": "1000000000",
    "AUTH_MAX_FAILURES_PER_ADDRESS": "1000000000",
}
# Nobody guesses the current password.
EXPECTATIONS = """
[[operations]]
include-name = "PATCH /api/v1/users/me"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "404", "409", "422", "5xx"]
"""


@pytest.mark.fuzz
async def test_schemathesis_finds_nothing(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(EXPECTATIONS, "utf-8")
    async with serving(project, server.url(database), tmp_path / "log", **PATIENT) as service:
        header = "--header", f"Authorization: Bearer {await token(service)}"
        phases = "--phases", "examples,coverage,fuzzing"
        await schemathesis(service, *header, *phases, "--max-examples", str(EXAMPLES))
        await schemathesis(service, *header, "--phases", "stateful", "--max-time", str(SECONDS))
        assert await operations(service) <= succeeded(service)


async def token(service: Service) -> str:
    """The access token of a user, who has done once what needs a password or a token."""
    auth, me = "/api/v1/auth", "/api/v1/users/me"
    password = {"password": "a password of chance"}
    async with AsyncClient(base_url=service.address) as client:
        user = {"email": "ada@example.com", **password}
        await client.post(f"{auth}/register", json=user)
        tokens = await client.post(f"{auth}/token", data={"username": user["email"], **password})
        given = {"refresh_token": tokens.json()["refresh_token"]}
        tokens = await client.post(f"{auth}/refresh", json=given)
        access_token: str = tokens.json()["access_token"]
        change = {"current_password": password["password"]}
        headers = {"Authorization": f"Bearer {access_token}"}
        assert (await client.patch(me, json=change, headers=headers)).status_code == 200
    return access_token


async def schemathesis(service: Service, *options: str) -> None:
    """Run all of its checks against the service."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.address}/openapi.json"),
        *("--checks", "all", "--mode", "all", "--continue-on-failure", *options),
        *("--generation-database", "none", "--no-color"),
        cwd=service.log.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    print(output.decode())
    if process.returncode != 0:
        pytest.fail("see the standard output", pytrace=False)


async def operations(service: Service) -> set[tuple[str, str]]:
    async with AsyncClient() as client:
        paths = (await client.get(f"{service.address}/openapi.json")).json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def succeeded(service: Service) -> set[tuple[str, str]]:
    """What was answered with more than an error: otherwise nothing was tried in earnest."""
    answered = [line for line in service.lines() if line["logger"] == "app.access"]
    return {(line["method"], line["route"]) for line in answered if line["status"] < 300}
