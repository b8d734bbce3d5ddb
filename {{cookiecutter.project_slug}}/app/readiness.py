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

#: Seconds for the whole check, so that a probe gets its response before it times out.
_TIMEOUT = 2.0

# Both queries return the same columns; a project without migrations has no `alembic_version`.
_REVISIONS = text("SELECT version_num, pg_is_in_recovery() AS is_standby FROM alembic_version")
_NO_REVISION = text("SELECT NULL AS version_num, pg_is_in_recovery() AS is_standby")


class Readiness:
    """Decides whether this process should receive requests.

    The schema is behind the code if the database has no revision, or only superseded ones. A
    revision that this code does not know belongs to a newer release, which has already migrated
    the database during a rolling update: this process is ready until it is replaced.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        # A separate connection: a busy pool must not fail the check, and probes must not take
        # connections from requests, however many there are.
        limits = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": _TIMEOUT}
        self._database = Database(settings.model_copy(update=limits))
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
        """Raise `UnavailableError` unless the process is ready."""
        if self._is_draining:
            raise ShuttingDownError("The service is shutting down.")
        query = _REVISIONS if self._has_migrations else _NO_REVISION
        try:
            async with asyncio.timeout(_TIMEOUT):
                rows = await Reader(self._database).fetch_all(query)
        except Exception as error:
            raise UnavailableError("The database is unreachable or has no schema.") from error
        if any(row.is_standby for row in rows):
            raise UnavailableError("The database is a read-only standby.")
        revisions = {row.version_num for row in rows}
        if self._has_migrations and revisions <= self._superseded:
            raise UnavailableError("The database schema is older than the code.")
