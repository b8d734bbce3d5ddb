"""Anyone can write articles and coupons, and `docs/security.md` shows how to require a user."""

import re

from fastapi import APIRouter, FastAPI
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr

from app.api.routes import articles
from app.auth.settings import AuthSettings
from app.db import Database
from app.main import create_app
from app.settings import ServiceSettings, Settings
from tests.auth.helpers import KEY, new_user
from tests.databases import ROOT
from tests.isolation import isolated

ARTICLE = {"title": "A title", "slug": "a-title", "text": "A text."}
COUPON = {"code": "SPRING", "init_count": 1}


async def test_anyone_may_write_in_production(settings: Settings, database: Database) -> None:
    production = Settings(
        service=ServiceSettings(environment="production"),
        database=settings.database,
        components=(AuthSettings(AUTH_SECRETS=(SecretStr(KEY),)),),
    )
    app = create_app(production)
    async with (
        isolated(database) as isolated_database,
        AsyncClient(transport=ASGITransport(app), base_url="http://test/api/v1") as client,
    ):
        app.state.database = isolated_database
        assert (await client.post("/articles", json=ARTICLE)).status_code == 201
        assert (await client.post("/coupons", json=COUPON)).status_code == 201


async def test_documented_route_requires_authentication(
    settings: Settings, database: Database
) -> None:
    document = (ROOT / "docs" / "security.md").read_text("utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    router = APIRouter(prefix="/api/v1/protected")
    # The function in the document has only a docstring. Append a body, and run it as if it were in
    # the module of the articles.
    body = "    return await original(new_article, articles, request, response)\n"
    names = {**vars(articles), "router": router, "original": articles.create_article}
    exec(snippet + body, names)  # noqa: S102
    app = create_app(settings)
    app.include_router(router)
    documented = FastAPI()
    documented.include_router(router)
    responses = documented.openapi()["paths"]["/api/v1/protected"]["post"]["responses"]
    assert {"201", "401", "409"} <= responses.keys()

    async with (
        isolated(database) as isolated_database,
        AsyncClient(transport=ASGITransport(app), base_url="http://test") as client,
    ):
        app.state.database = isolated_database
        assert (await client.post("/api/v1/protected", json=ARTICLE)).status_code == 401
        headers = await new_user(client)
        response = await client.post("/api/v1/protected", json=ARTICLE, headers=headers)
        assert response.status_code == 201
