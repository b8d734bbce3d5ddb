"""The generated service as a uvicorn process, whose log is checked when it ends."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conftest import Project

from resilience.project_venv import venv_environment, venv_python

#: Signs the access tokens.
AUTH_SECRET = "5mWkq9Zr2vXb7TnLc4HsYd8JfGp3Ae6Q"
#: Parts of the secrets as they would appear in output: plain, percent-encoded, as JSON or repr().
SECRET_FORMS = ("w#rd", quote("w#rd"), "-secret", AUTH_SECRET)
#: What production requires, except the database.
PRODUCTION = {
    "ENVIRONMENT": "production",
    "AUTH_SECRETS": AUTH_SECRET,
    "MAIL_URL": "log:",
    "MAIL_FROM": "service@example.com",
    "APP_URL": "https://example.com",
}


@dataclass(frozen=True)
class ServiceProcess:
    """A running service."""

    base_url: str
    process: asyncio.subprocess.Process
    log: Path

    def log_records(self) -> Iterator[dict[str, Any]]:
        """Yield the JSON lines of the log; uvicorn's lines before the startup are plain text."""
        for line in self.log.read_text("utf-8").splitlines():
            if line.startswith("{"):
                yield json.loads(line)


@asynccontextmanager
async def run_service(
    project: Project,
    database_url: str,
    log: Path,
    *,
    application: str = "app.main:create_app",
    **variables: str,
) -> AsyncIterator[ServiceProcess]:
    """Run the service on a free port, stop it with SIGTERM, and check its log."""
    defaults = PRODUCTION | {"DOCS_ENABLED": "true", "DATABASE_URL": database_url}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(venv_python(project), "-m", "uvicorn", "--factory", application),
            *("--port", "0", "--no-access-log"),
            cwd=project.path,
            env=venv_environment(**{**defaults, **variables}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield ServiceProcess(await _wait_for_url(process, log), process, log)
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert_clean_log(log)


async def _wait_for_url(process: asyncio.subprocess.Process, log: Path) -> str:
    async with asyncio.timeout(60):
        while process.returncode is None:
            if found := re.search(r"running on (http://[0-9.:]+)", log.read_text("utf-8")):
                return found[1]
            await asyncio.sleep(0.05)
    raise AssertionError(f"The service did not start\n{log.read_text('utf-8')}")


def assert_clean_log(log: Path) -> None:
    """Assert that a log contains no secret, no error and no traceback."""
    text = log.read_text("utf-8")
    assert not [form for form in SECRET_FORMS if form in text]
    errors = [line for line in text.splitlines() if re.search(r"^Traceback|\bERROR\b", line)]
    # uvicorn logs this for requests that exceed the shutdown timeout.
    errors = [line for line in errors if "timeout graceful shutdown exceeded" not in line]
    assert not errors, errors[0]
