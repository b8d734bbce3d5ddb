"""Who may write articles and coupons, and how `docs/security.md` restricts another route."""

import re

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import AsyncClient

from app.api.routes import articles
from app.main import create_app
from app.settings import Settings
from tests.auth.helpers import authenticate
from tests.databases import ROOT

ARTICLE = {"title": "A title", "slug": "a-title", "text": "A text."}
COUPON = {"code": "SPRING", "init_count": 1}
PROTECTED = "/api/v1/protected"


@pytest.fixture(scope="session")
def snippet() -> str:
    """Return the documented route."""
    document = (ROOT / "docs" / "security.md").read_text("utf-8")
    snippets: list[str] = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    (snippet,) = snippets
    return snippet


@pytest.fixture(scope="session")
def app(settings: Settings, snippet: str) -> FastAPI:
    """Return an application with the documented route."""
    router = APIRouter(prefix=PROTECTED)
    # The function in the document has only a docstring. Append a body, and run it as if it were in
    # the module of the articles.
    body = "    return await original(new_article, articles, request, response)\n"
    names = {**vars(articles), "router": router, "original": articles.create_article}
    exec(snippet + body, names)  # noqa: S102
    app = create_app(settings)
    app.include_router(router)
    return app


@pytest.mark.parametrize(
    ("path", "body", "scope"),
    [
        ("/api/v1/articles", ARTICLE, "articles:write"),
        ("/api/v1/coupons", COUPON, "coupons:write"),
        (PROTECTED, ARTICLE, "articles:write"),
    ],
)
async def test_writing_requires_the_scope(
    app: FastAPI, client: AsyncClient, path: str, body: object, scope: str
) -> None:
    del client.headers["Authorization"]
    assert (await client.post(path, json=body)).status_code == 401
    await authenticate(app, client, "users:admin")
    response = await client.post(path, json=body)
    assert (response.status_code, response.json()["scope"]) == (403, scope)
    await authenticate(app, client, scope)
    assert (await client.post(path, json=body)).status_code == 201


async def test_redeeming_requires_a_user(app: FastAPI, client: AsyncClient) -> None:
    target = (await client.post("/api/v1/coupons", json=COUPON)).headers["Location"]
    del client.headers["Authorization"]
    assert (await client.post(f"{target}/redemptions")).status_code == 401
    await authenticate(app, client)
    assert (await client.post(f"{target}/redemptions")).status_code == 201
