"""Runs the migrations, from the command line or on a given connection.

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

# Any number, the same for every process that migrates this database.
_LOCK = 7_244_119
# Seconds to wait for another process that migrates.
_LOCK_TIMEOUT = 60

# The command and its options, if this is the command line.
_options: Any = context.config.cmd_opts
_command = _options.cmd[0] if hasattr(_options, "cmd") else None
_is_autogenerate = getattr(_options, "autogenerate", False)


def run_offline() -> None:
    """Write SQL to standard output; needs no server."""
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: Connection, *, is_locked: bool = False) -> None:
    """Migrate in one transaction, one process at a time."""
    # Alembic takes a connection on which anything ran before this line for one whose
    # transaction is somebody else's, and would commit nothing.
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
        run_migrations()


def limit_lock_waits(ctx: MigrationContext, *_: object, **__: object) -> None:
    """Limit how long the transaction waits for a table: queries that come later wait with it.

    Called again after each revision, which may have begun another transaction.
    """
    ctx.execute(text("SET LOCAL lock_timeout = '5s'"))


def run_migrations() -> None:
    """Run the command, unless the revision of the database rules it out.

    `upgrade head` of an older release does nothing. `revision` needs a database that is up to date.
    """
    before = set(context.get_context().get_current_heads())
    at = ", ".join(sorted(before)) or "no revision"
    if before - {script.revision for script in context.script.walk_revisions()}:
        if _command is command.upgrade and _options.revision in {"head", "heads"}:
            # After a rollback the older release is started like any other.
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
    """Write no file if the models and the database agree."""
    if _is_autogenerate and directives[0].upgrade_ops.is_empty():
        directives.clear()
        logger.info("No changes: the models and the database agree, so no revision is written.")


async def acquire_lock(connection: AsyncConnection) -> None:
    """Wait until no other process migrates; the lock ends with the connection's transaction.

    Raises `CommandError` if that takes too long.
    """
    deadline = monotonic() + _LOCK_TIMEOUT
    is_waiting = False
    # Try instead of waiting in a statement: CREATE INDEX CONCURRENTLY in the process that has the
    # lock waits for each running statement, and both would wait forever.
    while not await connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))):
        await connection.rollback()
        if monotonic() > deadline:
            raise CommandError(
                f"Another process is migrating this database, for more than {_LOCK_TIMEOUT} s now:"
                " try again when it has finished."
            )
        if not is_waiting:
            logger.info("Waiting for another process that is migrating this database.")
            is_waiting = True
        await asyncio.sleep(0.2)
    # The transaction is idle until the last revision is applied.
    await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


async def run_online() -> None:
    """Migrate the database of the settings, on a connection of its own."""
    settings = load_settings()
    configure_logging(settings.service)
    # It logs one line for each type of object that autogenerate compares.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    options = connect_kwargs(settings.database, for_requests=False)
    options["async_creator_fn"] = connect
    engine = create_async_engine(
        "postgresql+asyncpg://", connect_args=options, poolclass=pool.NullPool
    )
    # On a separate connection, the lock outlives a revision that commits.
    async with connected(engine) as lock:
        await acquire_lock(lock)
        async with connected(engine) as connection:
            await connection.run_sync(run_on, is_locked=True)
    await engine.dispose()


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection; raise `CommandError` if there is none to be had."""
    try:
        connection = await engine.connect()
    except (OSError, DBAPIError) as error:
        reason = str(getattr(error, "orig", error)) or "timeout"
        raise CommandError(f"Cannot connect to the database: {reason}") from None
    try:
        yield connection
    finally:
        await connection.close()


def run_command_line() -> None:
    """Migrate; raise `CommandError`, which Alembic shows in one line, for what needs no traceback."""
    try:
        asyncio.run(run_online())
    except SettingsError as error:
        raise CommandError(str(error)) from None
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == "25006":
            raise CommandError(
                "The server is read-only, as a standby is: connect to the primary, as with"
                " target_session_attrs=read-write in DATABASE_URL."
            ) from None
        if state != "55P03":
            raise
        statement = " ".join(str(error.statement).split())
        raise CommandError(
            "A migration waited too long for a lock that another transaction holds, and was rolled"
            f" back. Try again later: {statement}"
        ) from None


given: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    run_offline()
elif given is not None:
    run_on(given)
else:
    run_command_line()
