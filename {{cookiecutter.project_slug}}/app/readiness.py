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

# Seconds for the whole check, which is shorter than the usual timeout of a probe.
_TIMEOUT = 2.0

# Both queries return the same columns. Only a project with migrations has the table
# `alembic_version`.
_REVISIONS = text("SELECT version_num, pg_is_in_recovery() AS is_standby FROM alembic_version")
_STANDBY_ONLY = text("SELECT NULL AS version_num, pg_is_in_recovery() AS is_standby")


class Readiness:
    """Decides whether this process should receive requests.

    A revision is superseded if this release contains a newer one. The schema is older than the
    code if the database has no revision, or only superseded ones. The database has several
    revisions if the migration history has several heads.

    With an unknown revision, the process is ready: a newer release has migrated the database during
    a rolling update, and this process continues to serve requests until it is replaced.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        # A separate pool, because a busy pool must not fail the check, and probes must not take
        # connections from requests. Concurrent probes share its only connection. Those that wait
        # longer than the timeout fail, which is accepted.
        pool_settings = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": _TIMEOUT}
        self._database = Database(settings.model_copy(update=pool_settings))
        self._is_draining = False
        files = migration_files()
        self._has_migrations = bool(files)
        self._superseded = superseded_revisions(files)

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._database.__aexit__(*error)

    def start_draining(self) -> None:
        """Report not ready from now on, while the process continues to serve requests."""
        self._is_draining = True
        logger.info("Shutting down: /readyz responds with 503 from now on")

    async def check(self) -> None:
        """Raise `UnavailableError` unless the process is ready.

        During a drain, raise its subclass `ShuttingDownError`.
        """
        if self._is_draining:
            raise ShuttingDownError("The service is shutting down.")
        query = _REVISIONS if self._has_migrations else _STANDBY_ONLY
        try:
            # This timeout starts before that of the pool, which is as long, so it expires first.
            async with asyncio.timeout(_TIMEOUT):
                rows = await Reader(self._database).fetch_all(query)
        except Exception as error:
            # Any failure of the query: no connection, no table, no permission, a timeout.
            raise UnavailableError("The database is unreachable or has no schema.") from error
        if any(row.is_standby for row in rows):
            raise UnavailableError("The database is a read-only standby.")
        revisions = {row.version_num for row in rows}
        # Also true for the empty set: the database has no revision.
        if self._has_migrations and revisions <= self._superseded:
            raise UnavailableError("The database schema is older than the code.")
