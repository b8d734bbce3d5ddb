"""Page parameters, and links to the next page."""

from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from fastapi import Depends, FastAPI
from httpx2 import AsyncClient

from app.api.cursors import CursorCodec
from app.api.pagination import PageParams, page_params, paginate
from app.db.keyset import KeysetList
from app.main import create_app
from app.schemas.base import ResponseBody
from app.settings import Settings

KEY = UUID(int=2**128 - 1)


def test_declared_type_belongs_to_a_filter() -> None:
    with pytest.raises(TypeError, match=r"no such filters: name$"):
        page_params(KeysetList(sa.select(sa.column("id", sa.Uuid))), name=str | None)


@pytest.mark.parametrize(("name", "parameter"), [("name", "other"), ("sort", "sort"), ("a", "a")])
def test_filter_has_a_parameter_of_the_same_name(name: str, parameter: str) -> None:
    # The parameter of the base query could otherwise be set by clients.
    rows = sa.select(sa.column("id", sa.Uuid)).where(sa.column("owner") == sa.bindparam("a"))
    with pytest.raises(TypeError, match=f"^{name} is not a name"):
        KeysetList(rows, filters={name: sa.column("name") == sa.bindparam(parameter)})


def test_parameters_of_a_list_are_not_those_of_its_query() -> None:
    rows = sa.select(sa.column("id", sa.Uuid)).where(sa.column("owner") == sa.bindparam("key"))
    with pytest.raises(TypeError, match=r"sets itself: key$"):
        KeysetList(rows)


class Thing(ResponseBody):
    id: UUID


ID = sa.column("id", sa.Uuid)
RANK = sa.column("rank", sa.Integer)
THINGS = KeysetList(
    sa.select(ID, RANK),
    sorts=("-rank", "rank"),
    filters={"rank_above": sa.bindparam("rank_above") < RANK},
)
ThingPageDep = Annotated[PageParams, Depends(page_params(THINGS, rank_above=int | None))]


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with a list of five things."""
    app = create_app(settings)
    things = [SimpleNamespace(id=UUID(int=number), rank=number // 2) for number in range(5, 0, -1)]

    @app.get("/things")
    async def list_things(page: ThingPageDep) -> list[int]:
        after = page.after.key if page.after else UUID(int=6)
        rest = [thing for thing in things if thing.id < after]
        return [thing.id.int for thing in paginate(page, rest[: page.limit + 1], Thing)]

    return app


async def test_links_lead_through_the_whole_list(client: AsyncClient) -> None:
    pages: list[list[int]] = []
    target: str | None = "/things?rank_above=0&other=%26&limit=2"
    while target:
        assert target.startswith("/things?rank_above=0&other=%26&limit=2")
        response = await client.get(target)
        pages.append(response.json())
        target = response.links.get("next", {}).get("url")
    assert pages == [[5, 4], [3, 2], [1]]


async def test_cursor_without_sort_continues_in_the_order_of_the_key(client: AsyncClient) -> None:
    # Version 0.1 sorted by the key.
    cursor = CursorCodec(THINGS).encode(None, SimpleNamespace(id=UUID(int=5)))
    response = await client.get("/things", params={"after": cursor, "limit": 2})
    assert response.json() == [4, 3]
    assert "&after=1" in response.headers["Link"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "after=x",
        "after=1" + "A" * 21 + "B",
        "after=",
        "sort=",
        "sort=id",
        "sort=rank&sort=-",
        "rank_above=x",
    ],
)
async def test_invalid_page_parameters_are_rejected(client: AsyncClient, query: str) -> None:
    assert (await client.get(f"/things?{query}")).status_code == 422


@pytest.mark.parametrize(
    ("cursor_sort", "start"), [("rank", "3rank."), ("-rank", "3-rank."), (None, "1")]
)
@pytest.mark.parametrize("sort", ["rank", "-rank", None])
async def test_cursor_continues_in_the_order_of_its_list(
    client: AsyncClient, sort: str | None, cursor_sort: str | None, start: str
) -> None:
    cursor = CursorCodec(THINGS).encode(cursor_sort, SimpleNamespace(id=KEY, rank=None))
    params: dict[str, Any] = {"limit": 2, "after": cursor, **({"sort": sort} if sort else {})}
    response = await client.get("/things", params=params)
    assert f"&after={start}" in response.links["next"]["url"]
