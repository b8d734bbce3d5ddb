"""Print, for each DSN, whether the service's database layer connects to a primary or a standby."""

import asyncio
import sys

from pydantic import SecretStr
from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import DatabaseSettings

IN_RECOVERY = text("SELECT pg_is_in_recovery() AS is_standby")


async def server_role(dsn: str) -> str:
    """Return `primary`, `standby`, or `refused` if there is no suitable server."""
    settings = DatabaseSettings(DATABASE_URL=SecretStr(dsn), DB_POOL_MIN_SIZE=0)
    async with Database(settings) as database:
        try:
            row = await Reader(database).fetch_one(IN_RECOVERY)
        except UnavailableError:
            return "refused"
    return "standby" if row.is_standby else "primary"


async def main() -> None:
    """Print one line for each argument."""
    for dsn in sys.argv[1:]:
        print(await server_role(dsn))


asyncio.run(main())
