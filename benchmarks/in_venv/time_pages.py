"""Time the first page of every list of articles, and the page in the middle of the list.

Usage: `python -m time_pages <data folder> <rows>`.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import asyncpg
from many_rows import migrate
from seeded_postgres import create_database

from app.api.cursors import CursorCodec
from app.db import Database
from app.db.keyset import PageRequest
from app.db.repositories.articles import ArticleReader
from app.settings import DatabaseSettings
from dev.embedded_server import embedded_postgres

LIST = ArticleReader.rows
CODEC = CursorCodec(LIST)
PAGE_SIZE = 20
TURNS = 100
START = datetime(2026, 1, 1, tzinfo=UTC)
ARTICLES = """
INSERT INTO articles (title, slug, text, created_at)
SELECT left(md5(n::text), 8), 'number-' || n, 'text', $1::timestamptz + n * interval '1 second'
FROM generate_series(1, $2::integer) AS n
"""


def filters_of(rows: int) -> list[dict[str, datetime]]:
    """Return filters that select all rows, or nine tenths of them."""
    tenth = timedelta(seconds=rows // 10)
    after, before = START + tenth, START + 9 * tenth
    return [
        {},
        {"created_after": after},
        {"created_before": before},
        {"created_after": after, "created_before": before},
    ]


async def middle_of_list(
    connection: asyncpg.Connection, sort: str, filters: Mapping[str, datetime], rows: int
) -> PageRequest:
    """Return the page in the middle of a list."""
    after = filters.get("created_after", START)
    before = filters.get("created_before", START + timedelta(days=rows))
    column, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    [row] = await connection.fetch(
        "SELECT * FROM articles WHERE created_at > $1 AND created_at < $2"  # noqa: S608
        f" ORDER BY {column} {direction}, id {direction} OFFSET $3 LIMIT 1",
        after,
        before,
        rows // 2 - rows // 10,
    )
    cursor = CODEC.encode(sort, SimpleNamespace(**row))
    return PageRequest(PAGE_SIZE, sort, CODEC.decode(cursor)[1], filters)


async def time_pages(reader: ArticleReader, pages: list[PageRequest]) -> list[float]:
    """Return the median milliseconds of each page, measured in turns."""
    turns = []
    for _ in range(TURNS):
        turn = []
        for page in pages:
            start = time.perf_counter()
            found = await reader.list(page)
            turn.append((time.perf_counter() - start) * 1000)
            if len(found) <= PAGE_SIZE:
                raise SystemExit(f"Only {len(found)} rows on the page {page}")
        turns.append(turn)
    return [statistics.median(times) for times in zip(*turns, strict=True)]


async def main(server: str, rows: int) -> None:
    """Fill a database, and print the times of the lists with all sorts and filters."""
    url = await create_database(server, "pages")
    await asyncio.to_thread(migrate, Path.cwd(), url)
    connection = await asyncpg.connect(url)
    await connection.execute(ARTICLES, START, rows)
    await connection.execute("VACUUM ANALYZE articles")
    os.environ["DATABASE_URL"] = url
    print(f"{'milliseconds':46} {'first':>7} {'middle':>7} {'ratio':>6}")
    async with Database(DatabaseSettings()) as database:
        for filters in filters_of(rows):
            for sort in LIST.sorts:
                middle = await middle_of_list(connection, sort, filters, rows)
                pages = [PageRequest(PAGE_SIZE, sort, filters=filters), middle]
                first, later = await time_pages(ArticleReader(database), pages)
                name = f"sort={sort} {' '.join(filters)}"
                print(f"{name:46} {first:7.2f} {later:7.2f} {later / first:6.2f}", flush=True)
    await connection.close()


if __name__ == "__main__":
    folder, row_count = sys.argv[1:]
    with embedded_postgres(Path(folder), fsync="off", shared_buffers="1GB") as url_of_server:
        asyncio.run(main(url_of_server, int(row_count)))
