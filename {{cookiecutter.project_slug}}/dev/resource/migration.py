"""The migration of a new resource, generated on a temporary server at the head of the history."""

import asyncio
import shutil
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import models
from dev.embedded_server import embedded_postgres
from dev.resource.files import ROOT
from dev.revisions import next_revision_id


def write_migration(plural: str, folder: Path) -> str:
    """Write the migration of the model in `folder` to the same folder, and return its name."""
    revision = next_revision_id(plural)
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    toml = shutil.copy(ROOT / "pyproject.toml", folder)
    out = StringIO()

    def generate(connection: Connection) -> None:
        config = Config(toml_file=toml, stdout=out, attributes={"connection": connection})
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

    async def connect(url: str) -> None:
        server = make_url(url).set(drivername="postgresql+asyncpg")
        async with create_async_engine(server, poolclass=NullPool).connect() as connection:
            await connection.run_sync(generate)

    # Never the server of the settings.
    with TemporaryDirectory() as data, embedded_postgres(Path(data)) as url, redirect_stdout(out):
        asyncio.run(connect(url))
    return f"migrations/versions/{revision}.py"
