"""The documentation page can be disabled, works offline, and is linked from the root."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from httpx2 import ASGITransport, AsyncClient

from app.main import create_app
from app.settings import Settings
from tests.service_settings import changed


@asynccontextmanager
async def client_with(settings: Settings, **service: object) -> AsyncIterator[AsyncClient]:
    """Yield a client of an application with these settings."""
    app = create_app(changed(settings, **service))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(("enabled", "status"), [(True, 200), (False, 404)])
async def test_docs_can_be_disabled(settings: Settings, enabled: bool, status: int) -> None:
    async with client_with(settings, docs_enabled=enabled) as client:
        for path in ("/docs", "/openapi.json"):
            assert (await client.get(path)).status_code == status


async def test_docs_page_loads_nothing_from_other_hosts(client: AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "http" not in page
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) == 3
    for source in sources:
        assert (await client.get(source)).status_code == 200, source


@pytest.mark.parametrize(
    ("root_path", "path"), [("", "/"), ("/shop", "/"), ("/shop", "/shop/"), ("/api", "/")]
)
async def test_root_redirects_to_docs(settings: Settings, root_path: str, path: str) -> None:
    async with client_with(settings, root_path=root_path) as client:
        response = await client.get(path)
        document = (await client.get("/openapi.json")).json()
    assert response.status_code == 307
    assert response.headers["Location"] == f"{root_path}/docs"
    assert "/" not in document["paths"]


async def test_root_is_404_without_docs(settings: Settings) -> None:
    async with client_with(settings, docs_enabled=False) as client:
        response = await client.get("/")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
