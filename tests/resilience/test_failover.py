"""The database fails over to a standby, or becomes one; the service answers 503 until it is over.

A request that was answered 201 is stored on the new primary; one that was answered 503 may be.
"""

import asyncio
import signal
from pathlib import Path
from time import monotonic

import pytest
from conftest import Project

from resilience.failover import load
from resilience.load import ARTICLES, assert_pool_is_whole, client_of, new_article
from resilience.replicas import Node, dsn, primary, standby
from resilience.service_process import create_migrated_database, is_long, run, serving

SECONDS = 10 if is_long() else 2
POOL = 5
REACHED = {"primary", "standby", "refused"}


async def stored_slugs(node: Node, database: str) -> set[str]:
    connection = await node.server.connect(database)
    try:
        return {row["slug"] for row in await connection.fetch("SELECT slug FROM articles")}
    finally:
        await connection.close()


async def test_a_replica_is_promoted_when_the_primary_is_killed(
    project: Project, socket_folder: Path, tmp_path: Path
) -> None:
    async with primary(project, socket_folder) as old:
        database = await create_migrated_database(old.server, project)
        async with standby(old) as new:
            url = dsn(database, old, new, attrs="read-write")
            async with (
                serving(project, url, tmp_path / "log", DB_POOL_MAX_SIZE=str(POOL)) as service,
                client_of(service) as client,
            ):
                async with load(client) as sent:
                    await asyncio.sleep(1)
                    assert {answer.status for answer in sent.answers} == {200, 201}
                    await old.end(signal.SIGKILL)
                    killed = monotonic()
                    await asyncio.sleep(SECONDS)
                    # Without a primary, nobody is let in.
                    assert sent.since(killed + 0.5, "/readyz") == {503}
                    assert sent.since(killed + 0.5, "write") == {503}
                    await new.execute("SELECT pg_promote()")
                    print(f"ready after {await sent.recovered(monotonic()):.2f} s")
                    await asyncio.sleep(1)
                sent.assert_only_refused()
                stored = await stored_slugs(new, database)
                print(f"{len(stored)} stored, {len(sent.slugs(201))} answered 201")
                assert sent.slugs(201) <= stored <= sent.slugs(201) | sent.slugs(503)
                await assert_pool_is_whole(client, new.server, database, POOL)


async def test_a_server_becomes_a_standby_and_is_promoted(
    project: Project, socket_folder: Path, tmp_path: Path
) -> None:
    async with primary(project, socket_folder) as node:
        database = await create_migrated_database(node.server, project)
        async with (
            serving(
                project, dsn(database, node), tmp_path / "log", DB_POOL_MAX_SIZE=str(POOL)
            ) as service,
            client_of(service) as client,
        ):
            async with load(client) as sent:
                await asyncio.sleep(1)
                await become_standby(node)
                restarted = monotonic()
                await asyncio.sleep(SECONDS)
                assert sent.since(restarted, "/readyz") == {503}
                assert sent.since(restarted, "write") == {503}
                assert sent.since(restarted + 0.5, "read") == {200}
                await node.execute("SELECT pg_promote()")
                promoted = monotonic()
                print(f"ready after {await sent.recovered(promoted):.2f} s")
                await asyncio.sleep(1)
                for kind in ("write", "read", "/readyz"):
                    assert 503 not in sent.since(promoted + 1, kind)
            sent.assert_only_refused()
            assert sent.slugs(201) <= await stored_slugs(node, database)
            await assert_pool_is_whole(client, node.server, database, POOL)


async def become_standby(node: Node) -> None:
    await node.end(signal.SIGINT)
    (node.data / "standby.signal").touch()
    await node.start()


@pytest.mark.parametrize("attrs", [None, "standby"])
async def test_a_service_that_starts_on_a_standby_reads_and_is_not_ready(
    project: Project, socket_folder: Path, tmp_path: Path, attrs: str | None
) -> None:
    async with primary(project, socket_folder) as node:
        database = await create_migrated_database(node.server, project)
        await become_standby(node)
        async with (
            serving(project, dsn(database, node, attrs=attrs), tmp_path / "log") as service,
            client_of(service) as client,
        ):
            for _ in range(3):
                assert (await client.get(ARTICLES)).status_code == 200
                for response in (
                    await client.post(ARTICLES, json=new_article()),
                    await client.get("/readyz"),
                ):
                    assert response.status_code == 503
                    assert response.headers["Retry-After"] == "1"


async def test_session_attributes_mean_what_they_mean_to_libpq(
    project: Project, socket_folder: Path
) -> None:
    expected = {
        # On a primary, a primary that is read-only by default, a standby, and any of them.
        "any": ["primary", "primary", "standby", "primary"],
        "read-write": ["primary", "refused", "refused", "primary"],
        "read-only": ["refused", "primary", "standby", "primary"],
        "primary": ["primary", "primary", "refused", "primary"],
        "standby": ["refused", "refused", "standby", "standby"],
        "prefer-standby": ["primary", "primary", "standby", "standby"],
    }
    async with primary(project, socket_folder) as first, standby(first) as second:
        await first.execute(
            "CREATE DATABASE plain OWNER service",
            "CREATE DATABASE frozen OWNER service",
            "ALTER DATABASE frozen SET default_transaction_read_only = on",
        )
        for variable in (False, True):
            for attrs, results in expected.items():
                given = None if variable else attrs
                dsns = [
                    dsn("plain", first, attrs=given),
                    dsn("frozen", first, attrs=given),
                    dsn("plain", second, attrs=given),
                    # Of two that accept read-only sessions, the first.
                    dsn("frozen", first, second, attrs=given),
                ]
                if attrs == "read-write":
                    dsns[3] = dsn("plain", second, first, attrs=given)
                variables = {"PGTARGETSESSIONATTRS": attrs} if variable else {}
                output = await run(project, "check_connections", *dsns, **variables)
                # The log is among it.
                reached = [line for line in output.splitlines() if line in REACHED]
                assert reached == results, attrs


async def test_migrations_go_to_the_primary(project: Project, socket_folder: Path) -> None:
    async with primary(project, socket_folder) as first, standby(first) as second:
        await first.execute("CREATE DATABASE empty OWNER service")
        url = dsn("empty", second, first, attrs="read-write")
        await run(project, "alembic", "upgrade", "head", DATABASE_URL=url)
        assert not await stored_slugs(first, "empty")
