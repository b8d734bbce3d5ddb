"""The service behind PgBouncer in transaction mode, with fewer connections than clients."""

import asyncio
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from writer import insert_writer

from resilience import IS_LONG
from resilience.load import (
    ARTICLES,
    assert_redemptions_match_counts,
    concurrently,
    create_article,
    create_coupon,
    new_article,
    open_client,
)
from resilience.postgres_server import PASSWORD, PostgresServer, create_database
from resilience.project_venv import run_module
from resilience.service_process import assert_clean_log, run_service

CLIENTS = 12
SERVER_CONNECTIONS = 2
ROUNDS = 300 if IS_LONG else 30

CONFIGURATION = """
[databases]
* = host={server.host} port={server.port}
[pgbouncer]
pool_mode = transaction
default_pool_size = {size}
listen_port = {server.port}
unix_socket_dir = {folder}
auth_type = scram-sha-256
auth_file = {folder}/users
"""


@pytest.fixture
async def pooler(server: PostgresServer, socket_folder: Path) -> AsyncIterator[PostgresServer]:
    """Run PgBouncer, and yield the server as its clients see it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    configuration, users, log = (socket_folder / name for name in ("ini", "users", "log"))
    configuration.write_text(
        CONFIGURATION.format(server=server, size=SERVER_CONNECTIONS, folder=socket_folder), "utf-8"
    )
    users.write_text('"service" "{}"'.format(PASSWORD.replace('"', '""')), "utf-8")
    # PgBouncer refuses to run as root, so run it as the owner of PostgreSQL's socket.
    owner = Path(server.host).stat()
    os.chown(socket_folder, owner.st_uid, owner.st_gid)
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, configuration], stdout=output, stderr=output, **account
        )
    pooler = PostgresServer(str(socket_folder), server.port)
    try:
        async with asyncio.timeout(30):
            while not Path(pooler.socket).exists():
                assert process.poll() is None, log.read_text("utf-8")
                await asyncio.sleep(0.05)
        yield pooler
    finally:
        process.terminate()
        process.wait(30)
    assert_clean_log(log)


async def test_no_request_fails_behind_a_transaction_pooler(
    project: Project, server: PostgresServer, pooler: PostgresServer, tmp_path: Path
) -> None:
    database = await create_database(server)
    variables = {"DB_POOLER": "pgbouncer", "DB_POOL_MAX_SIZE": str(CLIENTS)}
    url = pooler.url(database)
    upgrade = "alembic", "upgrade", "head"
    await asyncio.gather(
        *(run_module(project, *upgrade, DATABASE_URL=url, **variables) for _ in range(3))
    )
    await insert_writer(server.url(database, user="postgres"))
    async with (
        run_service(project, url, tmp_path / "log", **variables) as service,
        open_client(service) as client,
    ):
        coupon = await create_coupon(client, CLIENTS * ROUNDS)
        requests = [
            lambda: client.get("/readyz"),
            lambda: client.get(ARTICLES, params={"q": "words", "limit": 5}),
            lambda: client.post(ARTICLES, json=new_article()),
            lambda: client.get(coupon),
            lambda: client.post(f"{coupon}/redemptions"),
            lambda: client.post(ARTICLES, json=new_article() | {"slug": "taken"}),
        ]
        article = await create_article(client)
        requests += [
            lambda: client.get(article),
            lambda: client.patch(article, json={"title": "Another"}),
        ]
        all_requests = (request for _ in range(ROUNDS) for request in requests)
        statuses = Counter(
            response.status_code for response in await concurrently(CLIENTS, all_requests)
        )
        async with server.superuser_connection(database) as superuser:
            await assert_redemptions_match_counts(superuser)
            count = await superuser.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE usename = 'service' AND datname = current_database()"
            )
        assert count == SERVER_CONNECTIONS
        assert statuses == {200: 5 * ROUNDS, 201: 2 * ROUNDS + 1, 409: ROUNDS - 1}


async def test_search_timeout_works_behind_a_transaction_pooler(
    project: Project, server: PostgresServer, pooler: PostgresServer, tmp_path: Path
) -> None:
    database = await create_database(server)
    url = pooler.url(database)
    variables = {"DB_POOLER": "pgbouncer", "DB_SEARCH_TIMEOUT": "0.5"}
    await run_module(project, "alembic", "upgrade", "head", DATABASE_URL=url, **variables)
    async with (
        run_service(project, url, tmp_path / "log", **variables) as service,
        open_client(service) as client,
        server.superuser_connection(database) as superuser,
    ):
        async with superuser.transaction(), asyncio.timeout(10):
            await superuser.execute("LOCK TABLE articles")
            response = await client.get(ARTICLES, params={"q": "words"})
            assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            assert await superuser.fetchval(waiting) == 0
        assert (await client.get(ARTICLES, params={"q": "words"})).status_code == 200
