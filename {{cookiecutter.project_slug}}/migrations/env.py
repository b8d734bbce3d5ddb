"""Alembic's entry point for every command.

- With `--sql`, `write_sql` writes the migrations as SQL, without a database.
- If the caller passes a connection, as the tests do, `run_migrations` uses that connection.
- Otherwise, `main` connects to the database of the settings, and waits for other processes.

https://alembic.sqlalchemy.org/en/latest/cookbook.html#using-asyncio-with-alembic
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from alembic import command, context
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, func, pool, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

import app.db.models  # noqa: F401 - fills the metadata
from app.db import metadata
from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.log_config import configure_logging
from app.settings import SettingsError, load_settings

logger = logging.getLogger("migrations")

# Key of the advisory lock that serializes migrations: any number, but the same in all releases.
_LOCK = 7_244_119
# Seconds to wait for the migrations of another process.
_LOCK_TIMEOUT = 60

# The SQLSTATE codes for which `main` has its own message.
_READ_ONLY_TRANSACTION = "25006"
_LOCK_NOT_AVAILABLE = "55P03"

# The command and its options; None if Alembic was not called on the command line.
_options: Any = context.config.cmd_opts
_command = _options.cmd[0] if hasattr(_options, "cmd") else None
_is_autogenerate = getattr(_options, "autogenerate", False)


def write_sql() -> None:
    """Write SQL to standard output."""
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_migrations(connection: Connection, *, is_locked: bool = False) -> None:
    """Run the command in one transaction. Takes the advisory lock unless the caller holds it."""
    # Before any statement, since Alembic does not commit a transaction that has already begun.
    context.configure(
        connection=connection,
        target_metadata=metadata,
        on_version_apply=limit_lock_waits,
        process_revision_directives=skip_empty_revision,
    )
    with context.begin_transaction():
        if not is_locked:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}s'"))
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        limit_lock_waits(context.get_context())
        apply_revisions()


def limit_lock_waits(ctx: MigrationContext, *_: object, **__: object) -> None:
    """Limit how long a statement waits for a table lock, since later queries wait behind it.

    Called again after each revision, which may have begun another transaction.
    """
    ctx.execute(text("SET LOCAL lock_timeout = '5s'"))


def apply_revisions() -> None:
    """Run the command.

    `upgrade head` does nothing if the database has an unknown revision: after the rollback of a
    release, the older one must start on the schema of the newer one. Raises `CommandError` for
    `revision --autogenerate` on a database that is not up to date.
    """
    before = set(context.get_context().get_current_heads())
    at = ", ".join(sorted(before)) or "no revision"
    if before - {script.revision for script in context.script.walk_revisions()}:
        # For other commands, `context.run_migrations` raises an error that names the revision.
        if _command is command.upgrade and _options.revision in {"head", "heads"}:
            logger.warning(
                "The database is at %s, which this release does not know: a newer release has"
                " migrated it. Nothing to do.",
                at,
            )
            return
    elif _is_autogenerate and before != set(context.script.get_heads()):
        raise CommandError(
            f"The database is at {at}, behind the newest revision: run `make migrate` first."
        )
    context.run_migrations()
    if _command is command.upgrade and set(context.get_context().get_current_heads()) == before:
        logger.info("The database is already up to date, at %s.", at)


def skip_empty_revision(_: object, __: object, directives: list[Any]) -> None:
    """Let `revision --autogenerate` write no file if the models and the database agree."""
    if _is_autogenerate and directives[0].upgrade_ops.is_empty():
        directives.clear()
        logger.info("No changes: the models and the database agree, so no revision is written.")


async def run_online() -> None:
    """Run the command on the database of the settings, when no other process is migrating it."""
    settings = load_settings()
    configure_logging(settings.service)
    # This logger writes one line for each type of object that autogenerate compares.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    options = connect_kwargs(settings.database, for_requests=False)
    options["async_creator_fn"] = connect
    engine = create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
    # Two connections: a revision may commit, which would release the lock on its own connection.
    async with connected(engine) as lock_connection:
        await acquire_lock(lock_connection)
        async with connected(engine) as connection:
            await connection.run_sync(run_migrations, is_locked=True)
    await engine.dispose()


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection. Raises `CommandError` if the database is unavailable."""
    try:
        connection = await engine.connect()
    except (OSError, DBAPIError) as error:
        reason = str(getattr(error, "orig", error)) or "timeout"
        raise CommandError(f"Cannot connect to the database: {reason}") from None
    try:
        yield connection
    finally:
        await connection.close()


async def acquire_lock(connection: AsyncConnection) -> None:
    """Wait for the advisory lock, which the end of the connection's transaction releases.

    Raises `CommandError` after `_LOCK_TIMEOUT`.
    """
    deadline = monotonic() + _LOCK_TIMEOUT
    is_waiting = False
    # Polled, because a statement that waits for the lock can deadlock: CREATE INDEX CONCURRENTLY, in
    # the process that holds the lock, waits for all running statements.
    while not await connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        await connection.rollback()
        if monotonic() > deadline:
            raise CommandError(
                f"Another process has been migrating this database for more than {_LOCK_TIMEOUT} s:"
                " try again when it has finished."
            )
        if not is_waiting:
            logger.info("Waiting for another process that is migrating this database.")
            is_waiting = True
        await asyncio.sleep(0.2)
    # This transaction is idle while the migrations run on the other connection.
    await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def main() -> None:
    """Run the command. Raises `CommandError`, which Alembic prints without a traceback."""
    try:
        asyncio.run(run_online())
    except SettingsError as error:
        raise CommandError(str(error)) from None
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == _READ_ONLY_TRANSACTION:
            raise CommandError(
                "The server is read-only, probably a standby: connect to the primary, for example"
                " with target_session_attrs=read-write in DATABASE_URL."
            ) from None
        if state != _LOCK_NOT_AVAILABLE:
            raise
        statement = " ".join(str(error.statement).split())
        raise CommandError(
            "A migration waited too long for a lock that another transaction holds, and was rolled"
            f" back. Try again later: {statement}"
        ) from None


existing_connection: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    write_sql()
elif existing_connection is not None:
    run_migrations(existing_connection)
else:
    main()
