"""PostgreSQL and the service as processes of their own, stopped by who started them."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import asyncpg
from conftest import Project, clean_environment

#: What a careless program would split at, expand, escape, fold or cut off.
PASSWORD = "p@ss:/w#rd ?%41%(here)s&=+;,$(id)`'\"\\<>[]{}|^~!*é😀-secret"
#: What access tokens are signed with.
AUTH_SECRET = "5mWkq9Zr2vXb7TnLc4HsYd8JfGp3Ae6Q"
#: In any form: as it is, percent-encoded, in JSON, in a representation.
TRACES = ("w#rd", quote("w#rd"), "-secret", AUTH_SECRET)

#: Programs that run in a project's environment.
INSIDE = Path(__file__).parent / "in_venv"

# Of all, only `service` needs its password, over a socket and over TCP.
AUTHENTICATION = """
local all postgres      trust
local all all           scram-sha-256
host  all all  samehost scram-sha-256
"""


def python(project: Project) -> str:
    """The interpreter of a project, with what the project depends on."""
    return str(project.path / ".venv/bin/python")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on a Unix socket."""

    host: str
    port: str

    def url(self, name: str, *, user: str = "service") -> str:
        """The address of a database, for the service or for the superuser `postgres`."""
        password = f":{quote(PASSWORD, safe='')}" if user == "service" else ""
        where = f"host={quote(self.host, safe='')}&port={self.port}"
        return f"postgresql://{user}{password}@/{name}?{where}"

    async def connect(self, name: str = "postgres") -> asyncpg.Connection:
        """A connection of the superuser, beside those of the service."""
        return await asyncpg.connect(self.url(name, user="postgres"))

    @property
    def socket(self) -> str:
        return f"{self.host}/.s.PGSQL.{self.port}"


@contextmanager
def postgres(project: Project, folder: Path, **options: str) -> Iterator[Server]:
    """Run the embedded server of a project; again with the same folder, at the same address."""
    folder.mkdir(exist_ok=True)
    authentication = folder / "pg_hba.conf"
    authentication.write_text(AUTHENTICATION, "utf-8")
    options = {"hba_file": str(authentication), "max_connections": "60", "fsync": "off", **options}
    holder = subprocess.Popen(
        [python(project), "-m", "run_postgres", folder, PASSWORD, json.dumps(options)],
        cwd=project.path,
        env=clean_environment({"PYTHONPATH": str(INSIDE)}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        address = urlsplit(holder.stdout.readline().strip())
        where = parse_qs(address.query)
        yield Server(where["host"][0], where["port"][0])
        # Leaving the block closes its standard input, and waits for it.


async def create_database(server: Server, template: str = "template1") -> str:
    """The name of a new database of the user `service`."""
    name = f"hostile_{uuid4().hex}"
    control = await server.connect()
    await control.execute(f"CREATE DATABASE {name} OWNER service TEMPLATE {template}")
    await control.close()
    return name


async def create_migrated_database(server: Server, project: Project) -> str:
    """The name of a new database with the tables of a project."""
    name = await create_database(server)
    await run(project, "alembic", "upgrade", "head", DATABASE_URL=server.url(name))
    return name


@dataclass(frozen=True)
class Service:
    """The service under uvicorn."""

    address: str
    process: asyncio.subprocess.Process
    log: Path

    def lines(self) -> Iterator[dict[str, Any]]:
        """Its log, but for what uvicorn says before the service is there."""
        for line in self.log.read_text("utf-8").splitlines():
            if line.startswith("{"):
                yield json.loads(line)


@asynccontextmanager
async def serving(
    project: Project,
    database: str,
    log: Path,
    *,
    application: str = "app.main:create_app",
    **variables: str,
) -> AsyncIterator[Service]:
    """Serve on a free port; the log shows neither the password nor an error when it ends."""
    defaults = {
        "ENVIRONMENT": "production",
        "DOCS_ENABLED": "true",
        "DATABASE_URL": database,
        "AUTH_SECRETS": AUTH_SECRET,
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(python(project), "-m", "uvicorn", "--factory", application),
            *("--port", "0", "--no-access-log"),
            cwd=project.path,
            env=clean_environment({"PYTHONPATH": str(INSIDE), **defaults, **variables}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Service(await _address(process, log), process, log)
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert_quiet(log)


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    async with asyncio.timeout(60):
        while process.returncode is None:
            if found := re.search(r"running on (http://[0-9.:]+)", log.read_text("utf-8")):
                return found[1]
            await asyncio.sleep(0.05)
    raise AssertionError(f"it has ended\n{log.read_text('utf-8')}")


def assert_quiet(log: Path) -> None:
    """A log without the password, and without an error or a traceback on lines of its own."""
    text = log.read_text("utf-8")
    assert not [trace for trace in TRACES if trace in text]
    errors = [line for line in text.splitlines() if re.search(r"^Traceback|\bERROR\b", line)]
    # The last word on requests that outlive a stop is uvicorn's.
    errors = [line for line in errors if "timeout graceful shutdown exceeded" not in line]
    assert not errors, errors[0]


async def run(project: Project, *command: str, **variables: str) -> str:
    """The output of a module of a project; raises `AssertionError` with it if it fails."""
    process = await asyncio.create_subprocess_exec(
        *(python(project), "-m", *command),
        cwd=project.path,
        env=clean_environment({"PYTHONPATH": str(INSIDE), **variables}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


def is_long() -> bool:
    """Whether to take the time of `make fuzz` and `make test-resilience`."""
    return os.environ.get("RESILIENCE_PROFILE") == "long"
