"""Failover: the primary is replaced by its standby, or is restarted as a standby itself.

The service responds 503 until there is a primary again. A write with status 201 is stored on the
new primary; a write with status 503 may or may not be stored.
"""

import asyncio
import signal
from pathlib import Path
from time import monotonic

import pytest
from conftest import Project

from resilience import IS_LONG
from resilience.continuous_load import continuous_load
from resilience.load import ARTICLES, assert_pool_is_complete, new_article, open_client
from resilience.postgres_server import create_migrated_database
from resilience.project_venv import run_module
from resilience.replicas import Node, dsn, primary, standby
from resilience.service_process import run_service

SECONDS = 10 if IS_LONG else 2
POOL = 5
RESULTS = {"primary", "standby", "refused"}


async def stored_slugs(node: Node, database: str) -> set[str]:
    async with node.server.superuser_connection(database) as superuser:
        return {row["slug"] for row in await superuser.fetch("SELECT slug FROM articles")}


async def test_service_recovers_when_the_standby_is_promoted_after_a_kill(
    project: Project, socket_folder: Path, tmp_path: Path
) -> None:
    async with primary(project, socket_folder) as old:
        database = await create_migrated_database(old.server, project)
        async with standby(old) as new:
            url = dsn(database, old, new, attrs="read-write")
            async with (
                run_service(project, url, tmp_path / "log", DB_POOL_MAX_SIZE=str(POOL)) as service,
                open_client(service) as client,
            ):
                async with continuous_load(client) as load:
                    await asyncio.sleep(1)
                    assert {exchange.status for exchange in load.exchanges} == {200, 201}
                    await old.stop(signal.SIGKILL)
                    killed = monotonic()
                    await asyncio.sleep(SECONDS)
                    # With target_session_attrs=read-write, no host is usable without a primary.
                    assert load.statuses_since(killed + 0.5, "/readyz") == {503}
                    assert load.statuses_since(killed + 0.5, "write") == {503}
                    await new.execute("SELECT pg_promote()")
                    print(f"ready after {await load.wait_for_recovery():.2f} s")
                    await asyncio.sleep(1)
                load.assert_only_503_errors()
                stored = await stored_slugs(new, database)
                print(f"{len(stored)} stored, {len(load.slugs(201))} with status 201")
                assert load.slugs(201) <= stored <= load.slugs(201) | load.slugs(503)
                await assert_pool_is_complete(client, new.server, database, POOL)


async def test_service_reads_from_a_demoted_primary_until_it_is_promoted(
    project: Project, socket_folder: Path, tmp_path: Path
) -> None:
    async with primary(project, socket_folder) as node:
        database = await create_migrated_database(node.server, project)
        async with (
            run_service(
                project, dsn(database, node), tmp_path / "log", DB_POOL_MAX_SIZE=str(POOL)
            ) as service,
            open_client(service) as client,
        ):
            async with continuous_load(client) as load:
                await asyncio.sleep(1)
                await become_standby(node)
                restarted = monotonic()
                await asyncio.sleep(SECONDS)
                assert load.statuses_since(restarted, "/readyz") == {503}
                assert load.statuses_since(restarted, "write") == {503}
                assert load.statuses_since(restarted + 0.5, "read") == {200}
                await node.execute("SELECT pg_promote()")
                promoted = monotonic()
                print(f"ready after {await load.wait_for_recovery():.2f} s")
                await asyncio.sleep(1)
                for kind in ("write", "read", "/readyz"):
                    assert 503 not in load.statuses_since(promoted + 1, kind)
            load.assert_only_503_errors()
            assert load.slugs(201) <= await stored_slugs(node, database)
            await assert_pool_is_complete(client, node.server, database, POOL)


async def become_standby(node: Node) -> None:
    """Restart a server as a standby."""
    await node.stop(signal.SIGINT)
    (node.data / "standby.signal").touch()
    await node.start()


@pytest.mark.parametrize("attrs", [None, pytest.param("standby", marks=pytest.mark.thorough)])
async def test_service_started_on_a_standby_serves_reads_and_is_not_ready(
    project: Project, socket_folder: Path, tmp_path: Path, attrs: str | None
) -> None:
    async with primary(project, socket_folder) as node:
        database = await create_migrated_database(node.server, project)
        await become_standby(node)
        async with (
            run_service(project, dsn(database, node, attrs=attrs), tmp_path / "log") as service,
            open_client(service) as client,
        ):
            for _ in range(3):
                assert (await client.get(ARTICLES)).status_code == 200
                for response in (
                    await client.post(ARTICLES, json=new_article()),
                    await client.get("/readyz"),
                ):
                    assert response.status_code == 503
                    assert response.headers["Retry-After"] == "1"


@pytest.mark.thorough
async def test_target_session_attrs_selects_the_same_host_as_libpq(
    project: Project, socket_folder: Path
) -> None:
    expected = {
        # On a primary; on a primary that is read-only by default; on a standby; with two hosts.
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
                parameter = None if variable else attrs
                dsns = [
                    dsn("plain", first, attrs=parameter),
                    dsn("frozen", first, attrs=parameter),
                    dsn("plain", second, attrs=parameter),
                    # Both hosts accept read-only sessions: the first is used.
                    dsn("frozen", first, second, attrs=parameter),
                ]
                if attrs == "read-write":
                    dsns[3] = dsn("plain", second, first, attrs=parameter)
                variables = {"PGTARGETSESSIONATTRS": attrs} if variable else {}
                output = await run_module(project, "print_server_roles", *dsns, **variables)
                # The output includes log lines.
                actual = [line for line in output.splitlines() if line in RESULTS]
                assert actual == results, attrs


async def test_migrations_run_on_the_primary(project: Project, socket_folder: Path) -> None:
    async with primary(project, socket_folder) as first, standby(first) as second:
        await first.execute("CREATE DATABASE empty OWNER service")
        url = dsn("empty", second, first, attrs="read-write")
        await run_module(project, "alembic", "upgrade", "head", DATABASE_URL=url)
        assert not await stored_slugs(first, "empty")
