"""Run the embedded server with one database per service, all with the same rows.

Usage: `python -m seeded_postgres <data folder> <offset> <database>...`. Prints the database URLs
and the IDs of stored rows as JSON, and stops the server when its standard input is closed.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import asyncpg

from app.api.cursors import CursorCodec
from app.db.repositories.articles import ArticleReader
from dev.embedded_server import embedded_postgres

SEED = "seed"

# The search matches one row in a hundred. All timestamps have the same length.
ARTICLES = """
INSERT INTO articles (title, slug, text, created_at)
SELECT 'Article ' || i, 'article-' || i,
       repeat('word ', 40) || CASE i % 100 WHEN 0 THEN 'needle' ELSE '' END,
       timestamptz '2026-01-01T00:00:00.123456Z' + i * interval '1 minute'
FROM generate_series(1, 10000) AS i
"""
COUPON = """
INSERT INTO coupons (code, init_count, remaining_count)
VALUES ('MANY', 2147483647, 2147483647) RETURNING id
"""


async def create_database(server: str, name: str, template: str = "template1") -> str:
    """Create a database and return its URL."""
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await connection.close()
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def fill(url: str, offset: int) -> dict[str, str]:
    """Insert the rows, and return the IDs and the cursor that requests need."""
    connection = await asyncpg.connect(url)
    await connection.execute(ARTICLES)
    coupon = await connection.fetchval(COUPON)
    nth = "SELECT id, created_at FROM articles ORDER BY created_at DESC, id DESC OFFSET $1 LIMIT 1"
    article = await connection.fetchval(nth, 5000)
    [last] = await connection.fetch(nth, offset - 1)
    version = await connection.fetchval("SHOW server_version")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return {
        "article": str(article),
        "cursor": CursorCodec(ArticleReader.rows).encode("-created_at", SimpleNamespace(**last)),
        "coupon": str(coupon),
        "version": version,
    }


async def prepare(server: str, offset: int, names: list[str]) -> dict[str, dict[str, str]]:
    """Create and fill one database per name."""
    seed = await create_database(server, SEED)
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        env={**os.environ, "DATABASE_URL": seed},
        stderr=subprocess.DEVNULL,
        check=True,
    )
    stored = await fill(seed, offset)
    urls = {name: await create_database(server, name, SEED) for name in names}
    return {"urls": urls, "stored": stored}


if __name__ == "__main__":
    folder, offset, *names = sys.argv[1:]
    # Without fsync and autovacuum, which would add noise to the measurement.
    with embedded_postgres(
        Path(folder), fsync="off", autovacuum="off", max_connections="200"
    ) as server:
        print(json.dumps(asyncio.run(prepare(server, int(offset), names))), flush=True)
        sys.stdin.read()
