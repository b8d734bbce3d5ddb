"""Paths in headers and bodies are percent-encoded."""

from types import SimpleNamespace
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import pytest
from fastapi import Depends, FastAPI, Request, Response
from httpx2 import AsyncClient
from sqlalchemy import Uuid, column, select

from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of, request_path
from app.db.keyset import KeysetList
from app.main import create_app
from app.schemas.base import ResponseBody
from app.settings import Settings

# Path segments with characters that have a meaning in paths or headers, or are not ASCII.
OWNERS = ["日", "café", "a?b", "#", "%", "a b", "\r\nX: y", '"<>;,', "%2F", "'(*)~@:=", "\x7f\\"]


ArticlePageDep = Annotated[PageParams, Depends(page_params(KeysetList(select(column("id", Uuid)))))]


class Article(ResponseBody):
    id: UUID


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """Return an application with resources below a text parameter."""
    app = create_app(settings)
    rows = [SimpleNamespace(id=UUID(int=number)) for number in (2, 1)]

    @app.get("/owners/{owner}/articles")
    async def list_articles(owner: str, page: ArticlePageDep) -> list[str]:
        paginate(page, rows[: page.limit + 1], Article)
        return [owner]

    @app.post("/owners/{owner}/articles", status_code=201)
    async def create_article(owner: str, request: Request, response: Response) -> None:
        response.headers["Location"] = location_of(request.scope, owner)

    @app.get("/owners/{owner}/articles/{name}")
    async def get_article(owner: str, name: str) -> list[str]:
        return [owner, name]

    return app


@pytest.fixture(params=OWNERS)
def owner(request: pytest.FixtureRequest) -> str:
    """Return an owner whose name has to be percent-encoded."""
    owner: str = request.param
    return owner


@pytest.fixture
def target(owner: str) -> str:
    """Return the percent-encoded path of the owner's articles."""
    return f"/owners/{quote(owner, safe='')}/articles"


async def test_link_leads_to_same_list(client: AsyncClient, owner: str, target: str) -> None:
    first = await client.get(target, params={"limit": 1})
    link = first.headers["Link"]
    assert link.isascii()
    # Not `first.links`: httpx2 ends a URL at its first semicolon.
    url, _, parameters = link.partition(">")
    assert parameters == '; rel="next"'
    assert (await client.get(url.removeprefix("<"))).json() == [owner]


async def test_location_leads_to_created_resource(
    client: AsyncClient, owner: str, target: str
) -> None:
    location = (await client.post(target)).headers["Location"]
    assert location.isascii()
    assert (await client.get(location)).json() == [owner, owner]


async def test_instance_is_path_of_request(client: AsyncClient, owner: str, target: str) -> None:
    instance = (await client.put(target)).json()["instance"]
    assert instance.isascii()
    assert (await client.get(instance)).json() == [owner]


def test_path_is_not_read_as_host() -> None:
    assert request_path({"path": "//host.example/a"}) == "/%2Fhost.example/a"


def test_slash_in_id_is_encoded() -> None:
    assert location_of({"path": "/tags"}, "a/b") == "/tags/a%2Fb"
