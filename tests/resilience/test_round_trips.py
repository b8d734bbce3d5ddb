"""A request waits for the server as seldom as it can."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from conftest import Project
from httpx2 import Response

from resilience.load import ARTICLES, client_of, create_article, create_coupon, new_article
from resilience.proxy import counting
from resilience.service_process import Server, run, serving

REQUESTS = 50
# Only the first time must the server be told what a statement is.
# A search is in a transaction, whose first message brings its limit.
AT_MOST = {"get": 1.2, "list": 1.2, "search": 3.2, "create": 4, "redeem": 4}


async def test_a_read_is_one_round_trip_and_a_write_four_at_most(
    project: Project, server: Server, database: str, socket_folder: Path, tmp_path: Path
) -> None:
    pool = {"DB_POOL_MIN_SIZE": "1", "DB_POOL_MAX_SIZE": "2"}
    async with (
        counting(server, socket_folder) as (proxy, through),
        serving(project, through.url(database), tmp_path / "log", **pool) as service,
        client_of(service) as client,
    ):
        article, coupon = await create_article(client), await create_coupon(client, 2 * REQUESTS)

        async def average(request: Callable[[], Awaitable[Response]]) -> float:
            before = 0
            for _ in ("every connection learns the statement", "measure"):
                before = proxy.round_trips
                for _ in range(REQUESTS):
                    assert (await request()).is_success
            return (proxy.round_trips - before) / REQUESTS

        found = {
            "get": await average(lambda: client.get(article)),
            "list": await average(lambda: client.get(ARTICLES)),
            "search": await average(lambda: client.get(ARTICLES, params={"q": "words"})),
            "create": await average(lambda: client.post(ARTICLES, json=new_article())),
            "redeem": await average(lambda: client.post(f"{coupon}/redemptions")),
        }
        print(found)
        assert not {name: trips for name, trips in found.items() if trips > AT_MOST[name]}


async def test_a_read_runs_through_no_event_dispatch(
    project: Project, server: Server, template: str
) -> None:
    if not (project.path / "app/db/pool.py").read_text("utf-8").count("create_async_engine"):
        pytest.skip("not an engine of SQLAlchemy")
    output = await run(project, "read_events", DATABASE_URL=server.url(template))
    assert output.split() == ["False", "False"]
