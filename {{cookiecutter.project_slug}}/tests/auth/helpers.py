"""Requests and checks that tests of authentication share."""

from typing import Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from pydantic import SecretStr

from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.auth.credential_check import UserRow
from app.auth.opaque_tokens import ApiKey
from app.auth.settings import AuthSettings
from app.auth.tokens import TokenSubject
from app.db import Database
from app.db.repositories.users import UserWriter
from app.schemas.users import UserRead
from app.settings import Settings
from tests.rows import insert_row

AUTH = "/api/v1/auth"
ME = "/api/v1/users/me"
EMAIL = "ada@example.com"
OTHER_EMAIL = "bob@example.com"
PASSWORD = "correct horse battery"
WRONG_PASSWORD = "wrong password"
#: A hash of no known password.
UNKNOWN_HASH = f"$argon2id$v=19$m=32,t=1,p=1${'A' * 22}${'A' * 43}"
#: For tests that sign tokens themselves.
KEY = "Iq0mT4v8kJm2bXzN1cRwEo7yLs5uHf3gPd6a"


def with_auth(settings: Settings, **changes: Any) -> Settings:
    """Return the same settings with some changes to `AuthSettings`."""
    auth = settings.group(AuthSettings).model_copy(update=changes)
    return Settings(service=settings.service, database=settings.database, components=(auth,))


def client_from(app: FastAPI, ip: str) -> AsyncClient:
    """Return a client with this IP address."""
    return AsyncClient(transport=ASGITransport(app, client=(ip, 1)), base_url="http://test")


async def create_user(app: FastAPI, email: str = EMAIL, password: str = PASSWORD) -> UserRow:
    """Create a user, whose e-mail counts as confirmed."""
    accounts = AccountService(app.state.database, app.state.authentication)
    return await accounts.register(email, SecretStr(password))


async def register(
    client: AsyncClient, email: str = EMAIL, password: str = PASSWORD
) -> dict[str, Any]:
    """Create a user, whose e-mail counts as confirmed, and return what `GET /users/me` returns."""
    # `InProcessTransport` and httpx's own `ASGITransport` have this attribute.
    transport: Any = client._transport
    user = await create_user(transport.app, email, password)
    return UserRead.model_validate(user).model_dump(mode="json")


async def register_status(client: AsyncClient, password: object) -> int:
    """Try to register with a password and return the status."""
    body = {"email": EMAIL, "password": password}
    return (await client.post(f"{AUTH}/register", json=body)).status_code


async def log_in(client: AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> Response:
    return await client.post(f"{AUTH}/token", data={"username": email, "password": password})


async def log_in_tokens(
    client: AsyncClient, email: str = EMAIL, password: str = PASSWORD
) -> dict[str, Any]:
    """Log in and return the tokens."""
    response = await log_in(client, email, password)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


async def refresh(client: AsyncClient, tokens: dict[str, Any]) -> Response:
    body = {"refresh_token": tokens["refresh_token"]}
    return await client.post(f"{AUTH}/refresh", json=body)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """Return the header that authenticates a request."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def new_user(client: AsyncClient, email: str = EMAIL) -> dict[str, str]:
    """Register a user, log in, and return the header that authenticates the user's requests."""
    await register(client, email)
    return bearer(await log_in_tokens(client, email))


async def update_me(client: AsyncClient, headers: dict[str, str], **changes: object) -> Response:
    """Update the authenticated user, by default with the correct current password."""
    body = {"current_password": PASSWORD, **changes}
    return await client.patch(ME, json=body, headers=headers)


def assert_unauthorized(response: Response) -> dict[str, Any]:
    """Check for status 401 and return the body without the request ID, to compare bodies."""
    assert response.status_code == 401, response.text
    assert response.headers["WWW-Authenticate"] == "Bearer"
    body: dict[str, Any] = response.json()
    del body["request_id"]
    return body


async def fail_logins(client: AsyncClient, times: int, email: str = EMAIL) -> list[int]:
    """Log in with a wrong password several times and return the status codes."""
    return [(await log_in(client, email, WRONG_PASSWORD)).status_code for _ in range(times)]


async def count_failures(sql: asyncpg.Connection) -> int:
    count: int = await sql.fetchval("SELECT count(*) FROM login_failures")
    return count


async def age_failures(sql: asyncpg.Connection, seconds: int) -> None:
    """Make all recorded failures older."""
    await sql.execute(
        "UPDATE login_failures SET created_at = created_at - make_interval(secs => $1)",
        float(seconds),
    )


async def copy_failure(sql: asyncpg.Connection, times: int) -> None:
    """Copy the only recorded failure to other accounts with the same network."""
    await sql.execute(
        "INSERT INTO login_failures (account, address)"
        " SELECT n, address FROM login_failures, generate_series(1, $1::int) AS n",
        times,
    )


async def insert_user(app: FastAPI, *scopes: str) -> tuple[UUID, str]:
    """Insert a user with these scopes. Return the user's ID and an access token.

    Faster than a registration and a login, which hash the password.
    """
    user_id = await insert_row(app, "users", scopes=[*scopes], password_hash=UNKNOWN_HASH)
    assert isinstance(user_id, UUID)
    authentication: Authentication = app.state.authentication
    return user_id, authentication.access_tokens.issue(TokenSubject(user_id, 0))


async def insert_api_key(app: FastAPI, user_id: UUID, *scopes: str) -> str:
    """Insert an API key of a user, with these scopes, and return the key."""
    key = ApiKey.new()
    values = {"id": key.id, "user_id": user_id, "secret_hash": key.secret_hash}
    await insert_row(app, "api_keys", scopes=[*scopes], **values)
    return key.encode()


def bearer_of(key: str) -> dict[str, str]:
    """Return the header with an access token or an API key."""
    return {"Authorization": f"Bearer {key}"}


async def authenticate(app: FastAPI, client: AsyncClient, *scopes: str) -> UUID:
    """Authenticate the requests of the client as a new user, and return the user's ID."""
    user_id, token = await insert_user(app, *scopes)
    client.headers["Authorization"] = f"Bearer {token}"
    return user_id


async def set_scopes(app: FastAPI, user_id: UUID, *scopes: str) -> None:
    """Replace the scopes of a user."""
    database: Database = app.state.database
    async with database.transaction() as transaction:
        await UserWriter(transaction).update(user_id, scopes=[*scopes])
