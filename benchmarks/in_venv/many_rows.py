"""Run the embedded server with one database per project, all with the same rows.

Usage: `python -m many_rows <data folder> <rows> <project>...`. Prints the database URLs and the
duration of the insert as JSON, and stops the server when its standard input is closed.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
from seeded_postgres import create_database

from dev.embedded_server import embedded_postgres

# Each row has forty random words of a vocabulary of 20,000, and search terms of known frequency.
ARTICLES = """
INSERT INTO articles (title, slug, text)
SELECT 'Number ' || n, 'number-' || n, concat_ws(' ', 'everywhere',
    (SELECT string_agg('w' || (hashint8(n * 50 + i)::bigint & 2147483647) % 20000, ' ')
     FROM generate_series(1, 40) AS i),
    CASE WHEN n % 2 = 0 THEN 'half' END,
    CASE WHEN n % 10 = 0 THEN 'tenth' END,
    CASE WHEN n % 100 = 0 THEN 'percent' END,
    CASE WHEN n % ({rows} / 100) = 0 THEN 'hundred' END,
    CASE WHEN n <= {rows} / 10 THEN 'oldest' END)
FROM generate_series(1, {rows}::bigint) AS n
"""


def migrate(project: Path, url: str) -> None:
    """Run the migrations of a project."""
    subprocess.run(
        [project / ".venv" / "bin" / "python", "-m", "alembic", "upgrade", "head"],
        cwd=project,
        env={**os.environ, "DATABASE_URL": url},
        stderr=subprocess.DEVNULL,
        check=True,
    )


async def fill(server: str, project: Path, rows: int) -> dict[str, str | float]:
    """Create and fill a database; return its URL and the seconds that the insert took."""
    url = await create_database(server, project.parent.name)
    await asyncio.to_thread(migrate, project, url)
    connection = await asyncpg.connect(url)
    start = time.perf_counter()
    await connection.execute(ARTICLES.format(rows=rows))
    seconds = time.perf_counter() - start
    await connection.execute("VACUUM ANALYZE articles")
    await connection.close()
    return {"url": url, "seconds": seconds}


async def main(server: str, rows: int, projects: list[Path]) -> None:
    """Fill one database per project and print the results as JSON."""
    print(json.dumps([await fill(server, project, rows) for project in projects]), flush=True)


if __name__ == "__main__":
    folder, rows, *projects = sys.argv[1:]
    with embedded_postgres(Path(folder), fsync="off", shared_buffers="1GB") as server:
        asyncio.run(main(server, int(rows), [Path(project) for project in projects]))
        sys.stdin.read()
