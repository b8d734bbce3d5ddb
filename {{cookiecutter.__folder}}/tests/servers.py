"""The PostgreSQL server of the tests, and the databases that they make on it."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.address import connect_options
from app.settings import DatabaseSettings
from dev.postgres import embedded_postgres

ROOT = Path(__file__).parents[1]

#: The tests drop databases whose names begin so, and no others.
PREFIX = "test_"


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a server: `TEST_DATABASE_URL`, else an embedded one for this run.

    `DATABASE_URL` is never looked at: it may hold data that somebody needs.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="postgres-", dir=_folder_in_memory()) as folder,
        # The data is thrown away, so nothing need reach the disk.
        embedded_postgres(Path(folder), fsync="off", synchronous_commit="off") as server,
    ):
        yield server


def _folder_in_memory() -> Path | None:
    """Where a database is made in a tenth of the time, on systems that have such a folder.

    That of a container has 64 MB, too little for a server.
    """
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it has a name of its own
    is_large = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30
    return folder if is_large else None


def settings_for(address: str) -> DatabaseSettings:
    """Settings with this database, and defaults otherwise."""
    return DatabaseSettings(DATABASE_URL=SecretStr(address))


def address_of(server: str, name: str) -> str:
    """The address of one database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def create_database(server: str, *, template: str | None = None) -> str:
    """Make a database, empty or as a copy, and return its name."""
    name = f"{PREFIX}{uuid4().hex}"
    copied = f' TEMPLATE "{template}"' if template else ""
    await _on(server, f'CREATE DATABASE "{name}"{copied}')
    return name


async def drop_database(server: str, name: str) -> None:
    """Remove a database that the tests made, whoever is still connected to it."""
    if not name.startswith(PREFIX):
        raise ValueError(f"{name} is not a database of the tests")
    await _on(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _on(server: str, statement: str) -> None:
    async with connected(server) as connection:
        await connection.execute(statement)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection of the driver, beside those of the service."""
    connection = await asyncpg.connect(**connect_options(settings_for(address), limits=False))
    try:
        yield connection
    finally:
        await connection.close()


async def migrate(
    address: str,
    revision: str = "head",
    do: Callable[[Config, str], None] = command.upgrade,
) -> None:
    """Bring a database to a revision, on a connection that is handed to Alembic."""

    def run(connection: Connection) -> None:
        do(Config(ROOT / "alembic.ini", attributes={"connection": connection}), revision)

    options = connect_options(settings_for(address), limits=False)
    engine = create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()
