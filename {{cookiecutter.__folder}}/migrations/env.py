"""Runs the migrations, from the command line or on a connection that is handed over.

https://alembic.sqlalchemy.org/en/latest/cookbook.html#using-asyncio-with-alembic
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

import app.db.models  # noqa: F401 - fills the metadata
from app.db import metadata
from app.db.address import connect_options
from app.settings import load_settings

# Any number, the same for every process that migrates this database.
_LOCK = 7_244_119


def run_offline() -> None:
    """Write SQL to standard output; needs no server."""
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: Connection) -> None:
    """Migrate in one transaction, one process at a time."""
    # Alembic takes a connection on which anything ran before this line for one whose
    # transaction is somebody else's, and would commit nothing.
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        # Those who wait for a table that a migration waits for are held up with it.
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


async def run_online() -> None:
    """Migrate the database of the settings, on a connection of its own."""
    options = connect_options(load_settings().database, limits=False)
    engine = create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(run_on)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    run_offline()
elif given is not None:
    run_on(given)
else:
    asyncio.run(run_online())
