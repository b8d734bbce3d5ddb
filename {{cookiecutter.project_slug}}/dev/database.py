"""The database of development: the one of the settings, else one on an embedded server."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy.engine import URL

from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.settings import SERVICE_NAME, SettingsError, load_settings
from dev import DevelopmentError
from dev.postgres import embedded_postgres
from dev.programs import keeps_permissions

PROJECT = Path(__file__).parents[1]


@contextmanager
def development_database(checkpoint: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Yield the database's address for psql; the environment of this process then names it too.

    Raises `DevelopmentError`, and what `checkpoint` raises while an embedded server starts.
    """
    try:
        settings = load_settings().database
        options = connect_kwargs(settings) if settings.is_configured else None
    except SettingsError as error:
        raise DevelopmentError(str(error)) from None
    if options is not None:
        asyncio.run(_check(options))
        yield _without_password(options)
        return
    with embedded_postgres(data_folder(PROJECT), checkpoint=checkpoint) as server:
        os.environ["DATABASE_URL"] = ensure_database(server, SERVICE_NAME)
        yield os.environ["DATABASE_URL"]


def data_folder(project: Path) -> Path:
    """Return `.data/postgres` of the project, or a folder outside if it cannot be there."""
    folder = project / ".data" / "postgres"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK) or (folder / "18").exists() or keeps_permissions(folder):
        return folder
    name = f"{project.name}-{sha256(str(project).encode()).hexdigest()[:8]}"
    outside = Path.home() / ".local" / "share" / "postgres" / name
    print(
        f"The file system of {folder} does not keep permissions, which PostgreSQL requires.\n"
        f"The data is in {outside}",
        flush=True,
    )
    return outside


def ensure_database(server: str, name: str) -> str:
    """Create a database on a server unless it is there, and return its address."""
    asyncio.run(_create(server, name))
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def _create(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        # Of two first runs at once, one waits for the other.
        await connection.execute("SELECT pg_advisory_lock(1)")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def _check(options: dict[str, Any]) -> None:
    try:
        connection = await connect(**options)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise DevelopmentError(
            f"Cannot use the database {_without_password(options)}: {reason}"
        ) from None
    await connection.close()


def _without_password(options: dict[str, Any]) -> str:
    host, port, attrs = options["host"], options["port"], options["target_session_attrs"]
    query = {} if attrs == "any" else {"target_session_attrs": attrs}
    if isinstance(host, list) or (host and host.startswith("/")):
        # A URL has no place for these but its query.
        query |= {"host": _joined(host)} | ({"port": _joined(port)} if port else {})
        host = port = None
    url = URL.create(
        "postgresql",
        username=options["user"],
        host=host,
        port=port,
        database=options["database"],
        query=query,
    )
    return url.render_as_string()


def _joined(values: Any) -> str:
    return ",".join(map(str, values)) if isinstance(values, list) else str(values)
