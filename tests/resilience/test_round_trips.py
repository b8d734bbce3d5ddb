"""The number of database round trips per request."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import Project
from httpx2 import Response

from resilience.load import ARTICLES, create_article, create_coupon, new_article, open_client
from resilience.postgres_server import PostgresServer
from resilience.project_venv import run_module
from resilience.proxy import counting_proxy
from resilience.service_process import run_service
from resilience.worker_process import create_job_tables, run_workers

REQUESTS = 50
# Maximum round trips per request, on average: on each connection, the first execution also prepares
# the statement. A search runs in a transaction, for its statement timeout. Writes first read the
# user, and the last redemption of a coupon also enqueues a job.
MAX_ROUND_TRIPS = {"get": 1.2, "list": 1.2, "search": 3.2, "create": 5, "redeem": 5, "exhaust": 6}


async def test_reads_take_one_round_trip_and_writes_at_most_five(
    project: Project, server: PostgresServer, database: str, socket_folder: Path, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MIN_SIZE": "1", "DB_POOL_MAX_SIZE": "2"}
    async with (
        counting_proxy(server, socket_folder) as (proxy, through_proxy),
        run_service(project, through_proxy.url(database), tmp_path / "log", **pool) as service,
        open_client(service) as client,
    ):
        article, coupon = await create_article(client), await create_coupon(client, 3 * REQUESTS)
        last = iter([f"{await create_coupon(client, 1)}/redemptions" for _ in range(2 * REQUESTS)])

        async def average(request: Callable[[], Awaitable[Response]]) -> float:
            async def send() -> None:
                for _ in range(REQUESTS):
                    assert (await request()).is_success

            # Prepare the statement on every connection before counting.
            await send()
            before = proxy.round_trips
            await send()
            return (proxy.round_trips - before) / REQUESTS

        measured = {
            "get": await average(lambda: client.get(article)),
            "list": await average(lambda: client.get(ARTICLES)),
            "search": await average(lambda: client.get(ARTICLES, params={"q": "words"})),
            "create": await average(lambda: client.post(ARTICLES, json=new_article())),
            "redeem": await average(lambda: client.post(f"{coupon}/redemptions")),
            "exhaust": await average(lambda: client.post(next(last))),
        }
        print(measured)
        assert not {
            name: trips for name, trips in measured.items() if trips > MAX_ROUND_TRIPS[name]
        }


async def test_enqueueing_takes_one_more_round_trip(
    project: Project, server: PostgresServer, database: str, socket_folder: Path, tmp_path: Path
) -> None:
    options = {
        "application": "job_service:create_app",
        "DB_POOL_MIN_SIZE": "1",
        "DB_POOL_MAX_SIZE": "1",
    }
    async with (
        counting_proxy(server, socket_folder) as (proxy, through_proxy),
        run_service(project, through_proxy.url(database), tmp_path / "log", **options) as service,
        open_client(service) as client,
    ):

        async def average(*, enqueues: bool) -> float:
            async def send() -> None:
                for _ in range(REQUESTS):
                    unit = {"slug": uuid4().hex, "enqueues": enqueues}
                    assert (await client.post("/units", json=unit)).status_code == 201

            # Prepare the statements before counting.
            await send()
            before = proxy.round_trips
            await send()
            return (proxy.round_trips - before) / REQUESTS

        without, with_job = await average(enqueues=False), await average(enqueues=True)
        print(f"without a job {without}, with a job {with_job}")
        assert with_job <= without + 1


@pytest.mark.thorough
async def test_idle_worker_sends_few_queries(
    project: Project, server: PostgresServer, database: str, socket_folder: Path, tmp_path: Path
) -> None:
    await create_job_tables(server, database)
    async with counting_proxy(server, socket_folder) as (proxy, through_proxy):
        # As in production.
        variables = {"HEARTBEAT_TIMEOUT": "30"}
        workers = run_workers(project, through_proxy.url(database), tmp_path, variables=variables)
        async with workers as [worker]:
            await worker.wait_until_ready()
            await asyncio.sleep(5)
            before = proxy.round_trips
            await asyncio.sleep(60)
            queries = proxy.round_trips - before
    print(f"{queries} queries per minute")
    # It checks its connection six times, and looks for jobs twice with four queries each.
    assert 1 <= queries <= 30


async def test_reads_bypass_sqlalchemy_event_dispatch(
    project: Project, server: PostgresServer, template_database: str
) -> None:
    if not (project.path / "app/db/pool.py").read_text("utf-8").count("create_async_engine"):
        pytest.skip("this layer has no SQLAlchemy engine")
    output = await run_module(
        project, "print_event_dispatch", DATABASE_URL=server.url(template_database)
    )
    assert output.split() == ["False", "False"]
