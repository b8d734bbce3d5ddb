"""Starts a server, says where it is, and stops it when the test that asked for it is gone."""

import asyncio
import json
import sys
from pathlib import Path

import asyncpg

from dev.postgres import embedded_postgres


async def add_user(address: str, password: str) -> None:
    """Create the role of the service, unless it is there."""
    connection = await asyncpg.connect(address)
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = 'service'"):
        quoted = password.replace("'", "''")
        await connection.execute(f"CREATE ROLE service LOGIN PASSWORD '{quoted}'")
    await connection.close()


folder, password, options = sys.argv[1:]
with embedded_postgres(Path(folder), **json.loads(options)) as address:
    asyncio.run(add_user(address, password))
    print(address, flush=True)
    sys.stdin.read()
