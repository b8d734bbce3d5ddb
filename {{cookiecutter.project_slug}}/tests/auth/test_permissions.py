"""Scopes: routes that require them."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import AsyncClient

from app.auth.permissions import Allowed
from app.auth.scopes import SCOPES
from app.main import create_app
from app.schemas.users import UserRead
from app.settings import Settings
from tests.auth.helpers import (
    assert_unauthorized,
    authenticate,
    insert_api_key,
    insert_user,
    set_scopes,
)

PATH = "/api/v1/restricted"
SCOPE = "users:admin"
router = APIRouter(prefix=PATH)


@router.get("")
async def get_restricted(user: Annotated[UserRead, Allowed(SCOPE)]) -> UserRead:
    return user


@router.post("", dependencies=[Allowed(SCOPE)], status_code=204)
async def post_restricted() -> None:
    pass


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """Return an application with restricted routes."""
    app = create_app(settings)
    app.include_router(router)
    return app


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 204)])
async def test_scope_is_required(
    app: FastAPI, client: AsyncClient, method: str, status: int
) -> None:
    assert_unauthorized(await client.request(method, PATH))
    user_id = await authenticate(app, client)
    response = await client.request(method, PATH)
    body = response.json()
    assert (response.status_code, body["type"]) == (403, "/problems/missing-scope")
    assert body["scope"] == SCOPE
    assert response.headers["WWW-Authenticate"] == (
        f'Bearer error="insufficient_scope", scope="{SCOPE}"'
    )
    await set_scopes(app, user_id, SCOPE)
    assert (await client.request(method, PATH)).status_code == status
    await set_scopes(app, user_id)
    assert (await client.request(method, PATH)).status_code == 403


@pytest.mark.parametrize("given", [(), (SCOPE,)])
async def test_api_key_needs_the_scope_too(
    app: FastAPI, client: AsyncClient, given: tuple[str, ...]
) -> None:
    user_id, _ = await insert_user(app, SCOPE)
    key = await insert_api_key(app, user_id, *given)
    response = await client.get(PATH, headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == (200 if given else 403)


def test_document_lists_scopes_and_responses(app: FastAPI) -> None:
    document = app.openapi()
    for operation in document["paths"][PATH].values():
        (scheme,) = operation["security"]
        assert [*scheme.values()] == [[SCOPE]]
        assert {"401", "403"} <= operation["responses"].keys()
    defined = document["components"]["securitySchemes"]["OAuth2PasswordBearer"]
    assert defined["flows"]["password"]["scopes"] == SCOPES


@pytest.mark.parametrize("scope", ["", "users", "users:admin ", "Users:admin"])
def test_unknown_scope_is_an_error(scope: str) -> None:
    with pytest.raises(ValueError, match=r"app/auth/scopes\.py"):
        Allowed(scope)


async def test_unknown_stored_scope_permits_nothing(app: FastAPI, client: AsyncClient) -> None:
    await authenticate(app, client, "removed:scope")
    response: Any = await client.get(PATH)
    assert response.status_code == 403
