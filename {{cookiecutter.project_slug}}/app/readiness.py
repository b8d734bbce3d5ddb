"""Readiness check: the database is reachable and writable, and its schema is up to date."""

import asyncio
import logging
from typing import Self

from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.db.revisions import migration_files, superseded_revisions
from app.errors import ShuttingDownError, UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

# Seconds for the whole check. Set the timeout of the probe above this: in the Kubernetes manifest,
# `timeoutSeconds` is 3.
_TIMEOUT = 2.0

# Both queries return the same columns. A project without migrations has no table `alembic_version`.
_REVISIONS_QUERY = text(
    "SELECT version_num, pg_is_in_recovery() AS is_standby FROM alembic_version"
)
_STANDBY_ONLY_QUERY = text("SELECT NULL AS version_num, pg_is_in_recovery() AS is_standby")


class Readiness:
    """Decides whether this process should receive requests.

    The process is not ready if the database has no revision, or if every revision in the database
    is superseded, that is, this release has a newer one. This rule does not apply to a project
    without migrations.

    An unknown revision counts as ready: a newer release has already migrated the database during a
    rolling update, and this process continues to serve requests until it is replaced.

    With several heads, the database has one row per head. One row that is not superseded is enough:
    deployments run `alembic upgrade heads`, so branches are not migrated separately.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        # A separate pool, because a busy pool must not fail the check, and probes must not take
        # connections from requests. Concurrent probes share its only connection. Those that wait
        # longer than the timeout fail, which is accepted.
        pool_settings = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": _TIMEOUT}
        self._database = Database(settings.model_copy(update=pool_settings))
        #: Set when the process begins to shut down. Streams without an end wait for it.
        self.draining = asyncio.Event()
        files = migration_files()
        self._has_migrations = bool(files)
        self._superseded = superseded_revisions(files)

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._database.__aexit__(*error)

    def start_draining(self) -> None:
        """Report not ready from now on, while the process continues to serve requests.

        May be called more than once.
        """
        self.draining.set()
        logger.info("Shutting down: /readyz responds with 503 from now on")

    async def check(self) -> None:
        """Raise `UnavailableError` unless the process is ready.

        During a drain, raise its subclass `ShuttingDownError`.
        """
        if self.draining.is_set():
            raise ShuttingDownError("The service is shutting down.")
        query = _REVISIONS_QUERY if self._has_migrations else _STANDBY_ONLY_QUERY
        try:
            # Covers the query too; the pool's timeout covers only the wait for a connection.
            async with asyncio.timeout(_TIMEOUT):
                rows = await Reader(self._database).fetch_all(query)
        except Exception as error:
            # For example no connection, no table, no permission, or a timeout. The handler in
            # `app.api.error_handlers` logs the type of the cause.
            raise UnavailableError("The database is unreachable or has no schema.") from error
        if any(row.is_standby for row in rows):
            raise UnavailableError("The database is a read-only standby.")
        revisions = {row.version_num for row in rows}
        has_current = bool(revisions - self._superseded)
        if self._has_migrations and not has_current:
            # No revision at all, or only superseded ones.
            raise UnavailableError("The database schema is older than the code.")
