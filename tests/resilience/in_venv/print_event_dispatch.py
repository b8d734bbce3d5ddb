"""Print, for both kinds of reads, whether SQLAlchemy dispatches events for their statements."""

import asyncio

from sqlalchemy import Connection

from app.db import Database
from app.settings import load_settings


def has_events(connection: Connection) -> bool:
    """Return whether statements on this connection run through event dispatch."""
    return connection._has_events or connection.engine._has_events  # noqa: SLF001


async def main() -> None:
    """Check a single read and an open connection."""
    async with Database(load_settings().database) as database:
        print(await database.read(has_events))
        async with database.connection() as connection:
            print(await connection.run_sync(has_events))


asyncio.run(main())
