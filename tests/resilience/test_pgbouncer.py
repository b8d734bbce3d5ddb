"""A real PgBouncer: every transaction may get another connection, of fewer than its clients."""

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

from resilience.load import (
    ARTICLES,
    assert_no_half_redemption,
    at_once,
    client_of,
    control,
    create_article,
    create_coupon,
    new_article,
)
from resilience.service_process import (
    PASSWORD,
    Server,
    assert_quiet,
    create_database,
    is_long,
    run,
    serving,
)

CLIENTS = 12
SERVER_CONNECTIONS = 2
ROUNDS = 300 if is_long() else 30

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
async def pooler(server: Server, socket_folder: Path) -> AsyncIterator[Server]:
    """The server as it is seen through PgBouncer."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)")
    configuration, users, log = (socket_folder / name for name in ("ini", "users", "log"))
    configuration.write_text(
        CONFIGURATION.format(server=server, size=SERVER_CONNECTIONS, folder=socket_folder), "utf-8"
    )
    users.write_text('"service" "{}"'.format(PASSWORD.replace('"', '""')), "utf-8")
    # It refuses to run as root, as PostgreSQL does, whose socket is its owner's only.
    owner = Path(server.host).stat()
    os.chown(socket_folder, owner.st_uid, owner.st_gid)
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, configuration], stdout=output, stderr=output, **account
        )
    pooler = Server(str(socket_folder), server.port)
    try:
        async with asyncio.timeout(30):
            while not Path(pooler.socket).exists():
                assert process.poll() is None, log.read_text("utf-8")
                await asyncio.sleep(0.05)
        yield pooler
    finally:
        process.terminate()
        process.wait(30)
    assert_quiet(log)


async def test_a_transaction_pooler_costs_no_request(
    project: Project, server: Server, pooler: Server, tmp_path: Path
) -> None:
    database = await create_database(server)
    variables = {"DB_POOLER": "pgbouncer", "DB_POOL_MAX_SIZE": str(CLIENTS)}
    url = pooler.url(database)
    upgrade = "alembic", "upgrade", "head"
    await asyncio.gather(*(run(project, *upgrade, DATABASE_URL=url, **variables) for _ in range(3)))
    async with (
        serving(project, url, tmp_path / "log", **variables) as service,
        client_of(service) as client,
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
        everything = (request for _ in range(ROUNDS) for request in requests)
        answers = Counter(answer.status_code for answer in await at_once(CLIENTS, everything))
        async with control(server, database) as connection:
            await assert_no_half_redemption(connection)
            count = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE usename = 'service' AND datname = current_database()"
            )
        assert count == SERVER_CONNECTIONS
        assert answers == {200: 5 * ROUNDS, 201: 2 * ROUNDS + 1, 409: ROUNDS - 1}


async def test_the_server_ends_a_search_behind_a_transaction_pooler(
    project: Project, server: Server, pooler: Server, tmp_path: Path
) -> None:
    database = await create_database(server)
    url = pooler.url(database)
    variables = {"DB_POOLER": "pgbouncer", "DB_SEARCH_TIMEOUT": "0.5"}
    await run(project, "alembic", "upgrade", "head", DATABASE_URL=url, **variables)
    async with (
        serving(project, url, tmp_path / "log", **variables) as service,
        client_of(service) as client,
        control(server, database) as connection,
    ):
        async with connection.transaction(), asyncio.timeout(10):
            await connection.execute("LOCK TABLE articles")
            answer = await client.get(ARTICLES, params={"q": "words"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            assert await connection.fetchval(waiting) == 0
        assert (await client.get(ARTICLES, params={"q": "words"})).status_code == 200
