"""`ROOT_PATH`: a reverse proxy publishes the service under a path prefix."""

import re
from types import SimpleNamespace
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import Depends, FastAPI, Request, Response
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import Uuid, column, select

from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.db.keyset import KeysetList
from app.main import create_app
from app.schemas.base import ResponseBody
from app.settings import ServiceSettings, Settings, SettingsError, load_settings
from tests.service_settings import changed

ThingPageDep = Annotated[PageParams, Depends(page_params(KeysetList(select(column("id", Uuid)))))]


class Thing(ResponseBody):
    id: UUID


def create_app_with(settings: Settings, root_path: str) -> FastAPI:
    """Return an application with a route whose response has `Link` and `Location` headers."""
    app = create_app(changed(settings, root_path=root_path))

    @app.get("/api/v1/things")
    async def list_things(page: ThingPageDep, request: Request, response: Response) -> None:
        response.headers["Location"] = location_of(request.scope, 7)
        rows = [SimpleNamespace(id=UUID(int=number)) for number in range(page.limit + 1)]
        paginate(page, rows, Thing)

    return app


def client_for(app: FastAPI) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize(
    ("root_path", "path"),
    [
        ("/shop", "/api/v1/things"),
        ("/shop", "/shop/api/v1/things"),
        ("/api", "/api/v1/things"),
        ("/a/b", "/api/v1/things/"),
    ],
)
async def test_links_have_prefix_whether_or_not_proxy_strips_it(
    settings: Settings, root_path: str, path: str
) -> None:
    async with client_for(create_app_with(settings, root_path)) as client:
        response = await client.get(path)
        problem = (await client.get(f"{path.rstrip('/')}/nowhere")).json()
    assert response.headers["Link"].startswith(f"<{root_path}/api/v1/things?after=")
    assert response.headers["Location"] == f"{root_path}/api/v1/things/7"
    assert problem["instance"] == f"{root_path}/api/v1/things/nowhere"


async def test_probe_works_without_prefix(settings: Settings) -> None:
    async with client_for(create_app_with(settings, "/shop")) as client:
        assert (await client.get("/livez")).status_code == 200


async def test_docs_page_works_below_prefix(settings: Settings) -> None:
    async with client_for(create_app_with(settings, "/shop")) as client:
        page = (await client.get("/docs")).text
        sources = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(sources) == 3
        for source in sources:
            assert source.startswith("/shop/")
            assert (await client.get(source.removeprefix("/shop"))).status_code == 200, source
        assert "'/shop/openapi.json'" in page
        assert (await client.get("/openapi.json")).json()["servers"] == [{"url": "/shop"}]


@pytest.mark.parametrize(
    "root_path", ["/", "shop", "/shop/", "//shop", "/a//b", "/a b", "/é", "/?"]
)
def test_malformed_prefix_is_rejected(monkeypatch: pytest.MonkeyPatch, root_path: str) -> None:
    monkeypatch.setenv("ROOT_PATH", root_path)
    with pytest.raises(SettingsError, match=r"^ROOT_PATH: "):
        load_settings()


def test_prefix_is_read_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_PATH", "/a/b-1")
    assert ServiceSettings().root_path == "/a/b-1"
