"""Prints whether SQLAlchemy's engine or connection dispatches events for a read."""

import asyncio

from sqlalchemy import Connection

from app.db import Database
from app.settings import load_settings


def has_events(connection: Connection) -> bool:
    """Whether a statement on this connection runs through event dispatch."""
    return connection._has_events or connection.engine._has_events  # noqa: SLF001


async def main() -> None:
    """Ask both kinds of reads."""
    async with Database(load_settings().database) as database:
        print(await database.read(has_events))
        async with database.connection() as connection:
            print(await connection.run_sync(has_events))


asyncio.run(main())
