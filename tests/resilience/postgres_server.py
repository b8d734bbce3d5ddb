"""PostgreSQL servers for the tests, started with the embedded server of a project."""

import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import asyncpg
from conftest import Project
from writer import insert_writer

from resilience.project_venv import run_module, venv_environment, venv_python

#: Password of the role `service`: characters that must be quoted in URLs, shells, SQL or `.env`.
PASSWORD = "p@ss:/w#rd ?%41%(here)s&=+;,$(id)`'\"\\<>[]{}|^~!*é😀-secret"

# All roles except the superuser need a password, on the Unix socket and over TCP.
PG_HBA = """
local all postgres      trust
local all all           scram-sha-256
host  all all  samehost scram-sha-256
"""


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server; `host` is a host name or the folder of a Unix socket."""

    host: str
    port: str

    @property
    def socket(self) -> str:
        """The path of the Unix socket."""
        return f"{self.host}/.s.PGSQL.{self.port}"

    def url(self, database: str, *, user: str = "service") -> str:
        """Return the URL of a database, for the role `service` or the superuser `postgres`."""
        password = f":{quote(PASSWORD, safe='')}" if user == "service" else ""
        where = f"host={quote(self.host, safe='')}&port={self.port}"
        return f"postgresql://{user}{password}@/{database}?{where}"

    @asynccontextmanager
    async def superuser_connection(
        self, database: str = "postgres"
    ) -> AsyncIterator[asyncpg.Connection]:
        """Open a connection of the superuser, to observe and disturb the service."""
        connection = await asyncpg.connect(self.url(database, user="postgres"))
        try:
            yield connection
        finally:
            await connection.close()


@contextmanager
def run_postgres(project: Project, folder: Path, **options: str) -> Iterator[PostgresServer]:
    """Run the embedded server with its data in `folder` until the block ends.

    A second run with the same folder has the same data and the same URLs.
    """
    folder.mkdir(exist_ok=True)
    hba_file = folder / "pg_hba.conf"
    hba_file.write_text(PG_HBA, "utf-8")
    options = {"hba_file": str(hba_file), "max_connections": "60", "fsync": "off", **options}
    script = subprocess.Popen(
        [venv_python(project), "-m", "run_postgres", folder, PASSWORD, json.dumps(options)],
        cwd=project.path,
        env=venv_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Leaving the block closes the standard input of the script, which then stops the server.
    with script:
        assert script.stdout
        url = urlsplit(script.stdout.readline().strip())
        where = parse_qs(url.query)
        yield PostgresServer(where["host"][0], where["port"][0])


async def create_database(server: PostgresServer, template: str = "template1") -> str:
    """Create a database that belongs to the role `service` and return its name."""
    name = f"resilience_{uuid4().hex}"
    async with server.superuser_connection() as connection:
        await connection.execute(f"CREATE DATABASE {name} OWNER service TEMPLATE {template}")
    return name


async def create_migrated_database(server: PostgresServer, project: Project) -> str:
    """Create a database, migrate it, insert the user who writes, and return its name."""
    name = await create_database(server)
    await run_module(project, "alembic", "upgrade", "head", DATABASE_URL=server.url(name))
    await insert_writer(server.url(name, user="postgres"))
    return name
