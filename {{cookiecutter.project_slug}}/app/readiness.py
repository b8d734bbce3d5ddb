"""Whether this process can do its work: the database answers and has the schema it needs."""

import ast
import asyncio
import logging
from pathlib import Path
from typing import Annotated, Self

from fastapi import Depends
from fastapi.requests import HTTPConnection
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import ShuttingDownError, UnavailableError
from app.settings import DatabaseSettings

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

_DEADLINE = 2.0
_VERSIONS = text("SELECT version_num, pg_is_in_recovery() AS is_standby FROM alembic_version")
_NO_VERSION = text("SELECT NULL AS version_num, pg_is_in_recovery() AS is_standby")


class Readiness:
    """Compares the schema of the database with the migrations that came with this code."""

    def __init__(self, settings: DatabaseSettings) -> None:
        # One connection beside the pool: a service whose pool is busy is at work, not away, and
        # no number of probes takes connections from requests.
        budget = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": _DEADLINE}
        self._database = Database(settings.model_copy(update=budget))
        self._is_stopping = False
        migrations = list(MIGRATIONS.glob("versions/*.py"))
        self._has_migrations = bool(migrations)
        self._older = set[str]().union(*map(_revisions_before, migrations))

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._database.__aexit__(*error)

    def stop(self) -> None:
        """Say no from now on: this process still serves, but should get no more requests."""
        self._is_stopping = True
        logger.info("Shutting down: /readyz answers 503 from now on")

    async def check(self) -> None:
        """Raise `UnavailableError` when requests should go elsewhere.

        A revision that is unknown here is fine: a newer release has migrated already, and this
        one serves until it is replaced.
        """
        if self._is_stopping:
            raise ShuttingDownError("The service is stopping.")
        question = _VERSIONS if self._has_migrations else _NO_VERSION
        try:
            async with asyncio.timeout(_DEADLINE):
                rows = await Reader(self._database).fetch_all(question)
        except Exception as error:
            raise UnavailableError("The database does not answer, or has no schema.") from error
        if any(row.is_standby for row in rows):
            raise UnavailableError("The database is a standby and read-only.")
        current = {row.version_num for row in rows}
        if self._has_migrations and current <= self._older:
            raise UnavailableError("The database schema is older than this code.")


def _revisions_before(path: Path) -> set[str]:
    """What a migration comes after: nothing for the first, several for a merge."""
    # Read, not run: to import Alembic costs each worker a fifth of its memory and of its start.
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.AnnAssign(ast.Name("down_revision"), value=ast.expr() as value):
                break
            case ast.Assign([ast.Name("down_revision")], value):
                break
    else:
        raise ValueError(f"{path} is no migration: it has no down_revision")
    before = ast.literal_eval(value)
    return {before} if isinstance(before, str) else set(before or ())


async def get_readiness(connection: HTTPConnection) -> Readiness:
    """The check that the application prepared when it was made."""
    readiness: Readiness = connection.app.state.readiness
    return readiness


ReadinessDep = Annotated[Readiness, Depends(get_readiness)]
