"""Start the embedded server, print its URL, and stop it when standard input is closed."""

import asyncio
import json
import sys
from pathlib import Path

import asyncpg

from dev.embedded_server import embedded_postgres


async def create_role(url: str, password: str) -> None:
    """Create the role `service` unless it exists."""
    connection = await asyncpg.connect(url)
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = 'service'"):
        quoted = password.replace("'", "''")
        await connection.execute(f"CREATE ROLE service LOGIN PASSWORD '{quoted}'")
    await connection.close()


folder, password, options = sys.argv[1:]
with embedded_postgres(Path(folder), **json.loads(options)) as url:
    asyncio.run(create_role(url, password))
    print(url, flush=True)
    sys.stdin.read()
