"""Whatever the schema allows is answered as the schema says; whatever it forbids is refused."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Project
from httpx2 import AsyncClient

from hostile.servers import Server, Service, is_long, serving

EXAMPLES = 1000 if is_long() else 30
# What is stored changes the answers, at which Hypothesis gives up on a sequence of requests: so
# sequences are counted by the time that they may take.
SECONDS = 120 if is_long() else 10


@pytest.mark.fuzz
async def test_schemathesis_finds_nothing(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    async with serving(project, server.url(database), tmp_path / "log") as service:
        phases = "--phases", "examples,coverage,fuzzing"
        await schemathesis(service, *phases, "--max-examples", str(EXAMPLES))
        await schemathesis(service, "--phases", "stateful", "--max-time", str(SECONDS))
        assert await operations(service) <= succeeded(service)


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
