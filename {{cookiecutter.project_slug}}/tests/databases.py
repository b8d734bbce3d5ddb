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
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.settings import DatabaseSettings, Settings
from tests.postgres import DATABASE_PREFIX

ROOT = Path(__file__).parents[1]
#: File with the configuration of Alembic.
CONFIG = ROOT / "pyproject.toml"


def database_settings(url: str) -> DatabaseSettings:
    """Return default settings with this database URL."""
    return DatabaseSettings(DATABASE_URL=SecretStr(url))


def url_from(settings: Settings) -> str:
    """Return the database URL of the settings."""
    assert settings.database.url is not None
    return settings.database.url.get_secret_value()


def database_url(server: str, name: str) -> str:
    """Return the URL of a database of a server."""
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def create_database(server: str, *, template: str | None = None) -> str:
    """Create an empty database, or a copy of `template`, and return its name."""
    name = f"{DATABASE_PREFIX}{uuid4().hex}"
    source = f' TEMPLATE "{template}"' if template else ""
    await _execute(server, f'CREATE DATABASE "{name}"{source}')
    return name


async def ensure_template_database(server: str, name: str) -> None:
    """Create the migrated database that the workers copy, unless it exists."""
    async with connected(server) as connection:
        # Other workers wait here. Closing the connection releases the lock.
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            return
        unfinished = await create_database(server)
        try:
            await migrate(database_url(server, unfinished))
            await connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        finally:
            # Exists only if the migration failed: otherwise it was renamed.
            await drop_database(server, unfinished)


async def drop_database(server: str, name: str) -> None:
    """Drop a database of the tests and close its connections. Raises `ValueError` for others."""
    if not name.startswith(DATABASE_PREFIX):
        raise ValueError(f"{name} is not a database of the tests")
    await _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(server: str, statement: str) -> None:
    async with connected(server) as connection:
        await connection.execute(statement)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield an asyncpg connection without the timeouts and the read-only default of requests."""
    connection = await connect(**connect_kwargs(database_settings(url), for_requests=False))
    try:
        yield connection
    finally:
        await connection.close()


async def migrate(
    url: str,
    revision: str = "head",
    run_command: Callable[[Config, str], None] = command.upgrade,
) -> None:
    """Run an Alembic command in this process; by default, upgrade to the newest revision."""

    def run(connection: Connection) -> None:
        run_command(Config(toml_file=CONFIG, attributes={"connection": connection}), revision)

    async with _create_engine(url).connect() as connection:
        await connection.run_sync(run)


@asynccontextmanager
async def created_tables(url: str, metadata: MetaData) -> AsyncIterator[None]:
    """Create tables and their types, and drop them after the block."""
    engine = _create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)


def _create_engine(url: str) -> AsyncEngine:
    """Return an engine of SQLAlchemy, which closes each connection after its use."""
    options = connect_kwargs(database_settings(url), for_requests=False)
    options["async_creator_fn"] = connect
    return create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
