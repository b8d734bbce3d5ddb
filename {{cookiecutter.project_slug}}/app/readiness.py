"""Whether this process can do its work: the database answers and has the schema it needs."""

import asyncio
from pathlib import Path
from typing import Annotated, Self

from alembic.script import ScriptDirectory
from fastapi import Depends
from fastapi.requests import HTTPConnection
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import DatabaseSettings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

_DEADLINE = 2.0


class Readiness:
    """Compares the schema of the database with the migrations that came with this code."""

    def __init__(self, settings: DatabaseSettings) -> None:
        # One connection beside the pool: a service whose pool is busy is at work, not away, and
        # no number of probes takes connections from requests.
        budget = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": _DEADLINE}
        self._database = Database(settings.model_copy(update=budget))
        self._is_stopping = False
        scripts = ScriptDirectory(str(MIGRATIONS))
        self._head = scripts.get_current_head()
        self._older = {script.revision for script in scripts.walk_revisions()} - {self._head}

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._database.__aexit__(*error)

    def stop(self) -> None:
        """Say no from now on: this process still serves, but should get no more requests."""
        self._is_stopping = True

    async def check(self) -> None:
        """Raise `UnavailableError` when requests should go elsewhere.

        A revision that is unknown here is fine: a newer release has migrated already, and this
        one serves until it is replaced.
        """
        if self._is_stopping:
            raise UnavailableError("The service is stopping.")
        question = "SELECT version_num FROM alembic_version" if self._head else "SELECT 1"
        try:
            async with asyncio.timeout(_DEADLINE):
                rows = await Reader(self._database).fetch_all(text(question))
        except Exception as error:
            raise UnavailableError("The database does not answer, or has no schema.") from error
        current = {row[0] for row in rows}
        if self._head and current <= self._older:
            raise UnavailableError("The database schema is older than this code.")


async def get_readiness(connection: HTTPConnection) -> Readiness:
    """The check that the application prepared when it was made."""
    readiness: Readiness = connection.app.state.readiness
    return readiness


ReadinessDep = Annotated[Readiness, Depends(get_readiness)]
