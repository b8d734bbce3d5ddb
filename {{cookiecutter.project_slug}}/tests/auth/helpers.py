"""What tests of users do again and again."""

from typing import Any

import asyncpg
from httpx2 import AsyncClient, Response

from app.settings import Settings

AUTH = "/api/v1/auth"
ME = "/api/v1/users/me"
EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"
#: For tests that sign tokens themselves.
KEY = "Iq0mT4v8kJm2bXzN1cRwEo7yLs5uHf3gPd6a"


def with_auth(settings: Settings, **changes: Any) -> Settings:
    """The same settings but for some of those of authentication."""
    return settings.model_copy(update={"auth": settings.auth.model_copy(update=changes)})


async def register(
    client: AsyncClient, email: str = EMAIL, password: str = PASSWORD
) -> dict[str, Any]:
    response = await client.post(f"{AUTH}/register", json={"email": email, "password": password})
    assert response.status_code == 201, response.text
    user: dict[str, Any] = response.json()
    return user


async def log_in(client: AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> Response:
    return await client.post(f"{AUTH}/token", data={"username": email, "password": password})


async def tokens_of(
    client: AsyncClient, email: str = EMAIL, password: str = PASSWORD
) -> dict[str, Any]:
    response = await log_in(client, email, password)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


async def refresh(client: AsyncClient, tokens: dict[str, Any]) -> Response:
    given = {"refresh_token": tokens["refresh_token"]}
    return await client.post(f"{AUTH}/refresh", json=given)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def new_user(client: AsyncClient, email: str = EMAIL) -> dict[str, str]:
    """The header that a new user sends."""
    await register(client, email)
    return bearer(await tokens_of(client, email))


def assert_unauthorized(response: Response) -> dict[str, Any]:
    """The body, without what differs between any two requests."""
    assert response.status_code == 401, response.text
    assert response.headers["WWW-Authenticate"] == "Bearer"
    body: dict[str, Any] = response.json()
    del body["request_id"]
    return body


async def fail(client: AsyncClient, times: int, email: str = EMAIL) -> list[int]:
    return [(await log_in(client, email, "wrong password")).status_code for _ in range(times)]


async def rows(sql: asyncpg.Connection) -> int:
    count: int = await sql.fetchval("SELECT count(*) FROM login_failures")
    return count


async def let_time_pass(sql: asyncpg.Connection, seconds: int) -> None:
    await sql.execute(
        "UPDATE login_failures SET created_at = created_at - make_interval(secs => $1)",
        float(seconds),
    )
