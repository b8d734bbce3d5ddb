"""The migration of a new resource, generated on a scratch database at the head of the history."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import models
from dev.embedded_server import embedded_postgres
from dev.resource.files import ROOT
from dev.revisions import next_revision_id
from dev.settings import DATA_FOLDER

_SCRATCH = "resource_scratch"


def write_migration(plural: str, folder: Path) -> str:
    """Write the migration of the model in `folder` to the same folder, and return its name.

    The database is one of the embedded server, never that of the settings.
    """
    revision = next_revision_id(plural)
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    shutil.copy(ROOT / "pyproject.toml", folder)

    def generate(connection: Connection) -> None:
        config = Config(toml_file=folder / "pyproject.toml", stdout=StringIO())
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        # Otherwise, the migration would contain the changes of other models, too.
        command.check(config)
        # The new table, which the next command compares with the database.
        models.__path__.append(str(folder / "app/db/models"))
        import_module(f"app.db.models.{plural}")
        command.revision(config, plural, autogenerate=True, rev_id=revision)
        command.upgrade(config, "head")
        command.check(config)
        command.downgrade(config, "-1")

    with embedded_postgres(DATA_FOLDER) as url, redirect_stdout(StringIO()):
        asyncio.run(_run_on_scratch_database(url, generate))
    return f"migrations/versions/{revision}.py"


async def _run_on_scratch_database(url: str, work: Callable[[Connection], None]) -> None:
    server = make_url(url).set(drivername="postgresql+asyncpg")
    admin = create_async_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    scratch = create_async_engine(server.set(database=_SCRATCH), poolclass=NullPool)
    drop = text(f"DROP DATABASE IF EXISTS {_SCRATCH} WITH (FORCE)")
    async with admin.connect() as connection:
        # A killed run has left it.
        await connection.execute(drop)
        await connection.execute(text(f"CREATE DATABASE {_SCRATCH}"))
        async with scratch.connect() as scratch_connection:
            await scratch_connection.run_sync(work)
        await connection.execute(drop)
