"""Cursors, page parameters, and links to the next page."""

import re
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.api.pagination import UUID_CURSOR, PageParamsDep, paginate
from app.main import create_app
from app.schemas.base import ResponseBody
from app.settings import Settings


@pytest.mark.parametrize("key", [UUID(int=0), UUID(int=2**128 - 1), uuid4()])
def test_cursor_round_trip(key: UUID) -> None:
    cursor = UUID_CURSOR.encode(key)
    assert re.fullmatch(UUID_CURSOR.pattern, cursor)
    assert UUID_CURSOR.decode(cursor) == key


@pytest.mark.parametrize("cursor", ["1" + "A" * 22, "1" + "_" * 21 + "w", "1" + "-z" * 10 + "9g"])
def test_every_match_of_the_pattern_is_a_cursor(cursor: str) -> None:
    assert re.fullmatch(UUID_CURSOR.pattern, cursor)
    assert UUID_CURSOR.encode(UUID_CURSOR.decode(cursor)) == cursor


class Thing(ResponseBody):
    id: UUID


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with a list of five things."""
    app = create_app(settings)
    things = [SimpleNamespace(id=UUID(int=number)) for number in range(5, 0, -1)]

    @app.get("/things")
    async def list_things(page: PageParamsDep) -> list[int]:
        rest = [thing for thing in things if page.after is None or thing.id < page.after]
        return [thing.id.int for thing in paginate(page, rest[: page.fetch_limit], Thing)]

    return app


async def test_links_lead_through_the_whole_list(client: AsyncClient) -> None:
    pages: list[list[int]] = []
    target: str | None = "/things?other=%26&limit=2"
    while target:
        assert target.startswith("/things?other=%26&limit=2")
        response = await client.get(target)
        pages.append(response.json())
        target = response.links.get("next", {}).get("url")
    assert pages == [[5, 4], [3, 2], [1]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=x", "after=x", "after=1" + "A" * 21 + "B"]
)
async def test_invalid_page_parameters_are_rejected(client: AsyncClient, query: str) -> None:
    assert (await client.get(f"/things?{query}")).status_code == 422
