"""Connect with the service's database layer and settings; exit with 1 if that fails."""

import asyncio
import sys

from sqlalchemy import text

from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import load_settings


async def main() -> None:
    async with Database(load_settings().database) as database:
        try:
            await Reader(database).fetch_one(text("SELECT 1"))
        except UnavailableError as error:
            sys.exit(f"refused: {error.__cause__!r}")
        print("connected")


asyncio.run(main())
