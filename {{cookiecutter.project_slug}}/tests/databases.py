"""Create, migrate and drop databases on the server of the tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.settings import DatabaseSettings, Settings
from tests.postgres import PREFIX

ROOT = Path(__file__).parents[1]
#: The configuration of Alembic.
CONFIG = ROOT / "pyproject.toml"


def database_settings(address: str) -> DatabaseSettings:
    """Return default settings with this database URL."""
    return DatabaseSettings(DATABASE_URL=SecretStr(address))


def url_from(settings: Settings) -> str:
    """Return the database URL of the settings."""
    assert settings.database.url is not None
    return settings.database.url.get_secret_value()


def database_url(server: str, name: str) -> str:
    """Return the URL of a database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def create_database(server: str, *, template: str | None = None) -> str:
    """Create an empty database, or a copy of `template`, and return its name."""
    name = f"{PREFIX}{uuid4().hex}"
    copied = f' TEMPLATE "{template}"' if template else ""
    await _execute(server, f'CREATE DATABASE "{name}"{copied}')
    return name


async def ensure_template_database(server: str, name: str) -> None:
    """Create the migrated database that workers copy, unless it exists."""
    async with connected(server) as connection:
        # Released when the connection is closed.
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            return
        unfinished = await create_database(server)
        try:
            await migrate(database_url(server, unfinished))
            await connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        finally:
            # It only exists if the migration failed, else it was renamed.
            await drop_database(server, unfinished)


async def drop_database(server: str, name: str) -> None:
    """Drop a database of the tests and close its connections. Raises `ValueError` for others."""
    if not name.startswith(PREFIX):
        raise ValueError(f"{name} is not a database of the tests")
    await _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(server: str, statement: str) -> None:
    async with connected(server) as connection:
        await connection.execute(statement)


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection of the driver without the limits of requests."""
    connection = await connect(**connect_kwargs(database_settings(address), for_requests=False))
    try:
        yield connection
    finally:
        await connection.close()


async def migrate(
    address: str,
    revision: str = "head",
    do: Callable[[Config, str], None] = command.upgrade,
) -> None:
    """Migrate a database to a revision, on a connection that is passed to Alembic."""

    def run(connection: Connection) -> None:
        do(Config(toml_file=CONFIG, attributes={"connection": connection}), revision)

    options = connect_kwargs(database_settings(address), for_requests=False)
    options["async_creator_fn"] = connect
    engine = create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()
