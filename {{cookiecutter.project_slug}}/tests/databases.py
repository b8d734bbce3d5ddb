"""The databases that the tests make on their server."""

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
#: Where Alembic is configured.
CONFIG = ROOT / "pyproject.toml"


def settings_for(address: str) -> DatabaseSettings:
    """Settings with this database, and defaults otherwise."""
    return DatabaseSettings(DATABASE_URL=SecretStr(address))


def address_in(settings: Settings) -> str:
    """The address of the database of these settings."""
    assert settings.database.url is not None
    return settings.database.url.get_secret_value()


def address_of(server: str, name: str) -> str:
    """The address of one database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def create_database(server: str, *, template: str | None = None) -> str:
    """Make a database, empty or as a copy, and return its name."""
    name = f"{PREFIX}{uuid4().hex}"
    copied = f' TEMPLATE "{template}"' if template else ""
    await _on(server, f'CREATE DATABASE "{name}"{copied}')
    return name


async def provide_template(server: str, name: str) -> None:
    """Make a migrated database to copy, unless another worker has."""
    async with connected(server) as connection:
        # Held until this connection is closed.
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            return
        unfinished = await create_database(server)
        try:
            await migrate(address_of(server, unfinished))
            await connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        finally:
            # Only what a failed migration has left has this name.
            await drop_database(server, unfinished)


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
    connection = await connect(**connect_kwargs(settings_for(address), for_requests=False))
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
        do(Config(toml_file=CONFIG, attributes={"connection": connection}), revision)

    options = connect_kwargs(settings_for(address), for_requests=False)
    options["async_creator_fn"] = connect
    engine = create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()
