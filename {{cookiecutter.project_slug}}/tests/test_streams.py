"""Streams: rows from a server-side cursor, without leaked connections."""

import asyncio
import random
from collections.abc import MutableMapping
from contextlib import aclosing, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from httpx2 import AsyncClient
from sqlalchemy import Integer, SmallInteger, bindparam, cast, func, select, text

from app.api.dependencies import DatabaseDep
from app.db import Database
from app.db.repositories.base import Reader
from app.errors import UnavailableError, UnprocessableError
from app.main import create_app
from app.settings import Settings
from tests.connection_pool import IN_TRANSACTION, SELECT_1, assert_intact
from tests.waiting import wait_until

# In the column list, PostgreSQL generates the rows as they are fetched.
_NUMBER = func.generate_series(1, bindparam("stop", type_=Integer), type_=Integer)
NUMBERS = select(_NUMBER.label("number"))
INVALID_AFTER_200 = select(cast(32_767 - 200 + _NUMBER, SmallInteger))


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """Return an application to which a test adds a route."""
    return create_app(settings)


async def wait_until_returned(database: Database) -> None:
    """Wait until both connections of `pool_of_two` are idle. Abandoned streams close in tasks."""

    async def is_returned() -> bool:
        with suppress(UnavailableError):
            return not (await Reader(database).fetch_one(IN_TRANSACTION))[0]
        return False

    await wait_until(is_returned)
    await assert_intact(database)


@pytest.mark.parametrize("pooler", ["none", "pgbouncer"])
async def test_stream_yields_all_rows_in_order(settings: Settings, pooler: str) -> None:
    pooled = settings.database.model_copy(update={"pooler": pooler})
    async with Database(pooled) as database:
        for _ in range(2):
            numbers = [row.number async for row in database.stream(NUMBERS, stop=1234)]
            assert numbers == list(range(1, 1235))


async def test_stream_without_rows_is_empty(database: Database) -> None:
    assert [row async for row in database.stream(NUMBERS, stop=0)] == []


async def test_stream_is_read_only(database: Database) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        async for _ in database.stream(text("SELECT lo_create(0)")):
            pytest.fail("The statement must fail.")


async def test_stream_does_not_load_all_rows(database: Database) -> None:
    # Loading a billion rows would exceed the memory or the time of the test.
    async with aclosing(database.stream(NUMBERS, stop=10**9)) as rows:
        async for row in rows:
            if row.number == 1000:
                break


async def test_error_in_stream_is_translated(pool_of_two: Database) -> None:
    with pytest.raises(UnprocessableError):
        async for _ in pool_of_two.stream(INVALID_AFTER_200, stop=300):
            pass
    await assert_intact(pool_of_two)


async def test_abandoned_stream_returns_its_connection(pool_of_two: Database) -> None:
    for _ in range(5):
        async for _ in pool_of_two.stream(NUMBERS, stop=1000):
            break
    await wait_until_returned(pool_of_two)


async def test_cancelled_streams_lose_no_connection(pool_of_two: Database) -> None:
    rng = random.Random(1)  # noqa: S311 - not a secret

    async def consume(signalled: int | None, reached: asyncio.Event) -> None:
        async for row in pool_of_two.stream(NUMBERS, stop=10**9):
            if row.number == signalled:
                reached.set()

    for _ in range(250):
        # Interrupts the beginning of the transaction, and the first, second and third part.
        signalled, reached = rng.choice((None, 1, 150, 250, 450)), asyncio.Event()
        tasks = [asyncio.create_task(consume(signalled, reached)) for _ in range(2)]
        if signalled:
            await reached.wait()
        for _ in range(rng.randrange(30)):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
    await wait_until_returned(pool_of_two)


async def test_aborted_download_returns_its_connection(app: FastAPI, pool_of_two: Database) -> None:
    @app.get("/numbers")
    async def download(database: DatabaseDep) -> StreamingResponse:
        rows = database.stream(NUMBERS, stop=10**9)
        return StreamingResponse(f"{row.number}\n" async for row in rows)

    async def abort_after(chunks: int) -> None:
        received, is_aborted = 0, asyncio.Event()

        async def receive() -> dict[str, object]:
            await is_aborted.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal received
            received += message["type"] == "http.response.body"
            if received >= chunks:
                is_aborted.set()

        scope = {"type": "http", "method": "GET", "path": "/numbers", "headers": [], "app": app}
        await app({**scope, "query_string": b"", "asgi": {"version": "3.0"}}, receive, send)

    app.state.database = pool_of_two
    for chunks in range(20):
        await abort_after(chunks * 17)
    await wait_until_returned(pool_of_two)


async def test_streaming_response(app: FastAPI, client: AsyncClient) -> None:
    @app.get("/numbers")
    async def download(database: DatabaseDep) -> StreamingResponse:
        rows = database.stream(NUMBERS, stop=300)
        return StreamingResponse(f"{row.number}\n" async for row in rows)

    response = await client.get("/numbers")
    assert response.text.split() == [str(number) for number in range(1, 301)]


async def test_failed_stream_leaves_no_trace_on_its_connection(settings: Settings) -> None:
    limits = {"pool_min_size": 0, "pool_max_size": 1}
    async with Database(settings.database.model_copy(update=limits)) as database:
        for _ in range(3):
            with pytest.raises(Exception, match="missing_table"):
                async for _ in database.stream(text("SELECT 1 FROM missing_table")):
                    pytest.fail("The statement must fail.")
            async with database.transaction() as transaction:
                await transaction.execute(text("CREATE TEMPORARY TABLE t () ON COMMIT DROP"))
            assert (await Reader(database).fetch_one(SELECT_1))[0] == 1


async def test_missing_value_is_an_error(pool_of_two: Database) -> None:
    with pytest.raises(Exception, match="stop"):
        async for _ in pool_of_two.stream(NUMBERS):
            pytest.fail("The statement must fail.")
    await assert_intact(pool_of_two)
