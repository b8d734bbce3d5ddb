"""Rate limits of routes, per network of the client."""

import asyncio
from collections import Counter

import asyncpg
import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient

from app.auth.rate_limits import limited
from app.db import Database
from app.errors import ConflictError
from app.main import create_app
from app.settings import Settings
from tests.auth.helpers import AUTH, EMAIL, PASSWORD, client_from
from tests.test_conventions import HTTP_ROUTES, all_dependants

IP, SITE = "2001:db8::1", "2001:db8::/48"


@pytest.fixture
async def limited_app(settings: Settings, clean_database: Database) -> FastAPI:
    """Return an application with a route that three requests may call in a minute, and fails."""
    app = create_app(settings)

    @app.post("/limited", dependencies=[Depends(limited("test", 3, per=60))])
    async def fail() -> None:
        raise ConflictError("The route fails.")

    app.state.database = clean_database
    return app


async def statuses(app: FastAPI, ip: str, times: int) -> list[int]:
    async with client_from(app, ip) as client:
        return [(await client.post("/limited")).status_code for _ in range(times)]


async def test_requests_above_the_limit_are_rejected_although_the_route_fails(
    limited_app: FastAPI, sql: asyncpg.Connection
) -> None:
    async with client_from(limited_app, IP) as client:
        for _ in range(3):
            assert (await client.post("/limited")).status_code == 409
        await sql.execute("UPDATE rate_limits SET expires_at = expires_at - interval '20 seconds'")
        response = await client.post("/limited")
    assert response.status_code == 429
    assert response.json()["type"] == "/problems/too-many-requests"
    assert 30 <= int(response.headers["Retry-After"]) <= 40


async def test_next_period_begins_with_a_request(
    limited_app: FastAPI, sql: asyncpg.Connection
) -> None:
    assert await statuses(limited_app, IP, 4) == [409, 409, 409, 429]
    await sql.execute("UPDATE rate_limits SET expires_at = now()")
    assert await statuses(limited_app, IP, 4) == [409, 409, 409, 429]


async def test_other_networks_have_their_own_limit(limited_app: FastAPI) -> None:
    assert (await statuses(limited_app, IP, 4))[-1] == 429
    assert await statuses(limited_app, "2001:db8::2:3", 1) == [429]
    for ip in ("2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"):
        assert await statuses(limited_app, ip, 4) == [409, 409, 409, 429]


async def test_site_has_ten_times_the_limit(limited_app: FastAPI) -> None:
    for number in range(10):
        assert await statuses(limited_app, f"2001:db8:0:{number}::1", 3) == [409] * 3
    assert await statuses(limited_app, "2001:db8:0:ffff::1", 1) == [429]
    assert await statuses(limited_app, "2001:db8:1::1", 1) == [409]


async def test_rejected_request_does_not_count(
    limited_app: FastAPI, sql: asyncpg.Connection
) -> None:
    await statuses(limited_app, IP, 50)
    assert await sql.fetchval("SELECT count FROM rate_limits WHERE network = $1", SITE) == 3
    assert await statuses(limited_app, "2001:db8:0:1::1", 1) == [409]


async def test_concurrent_requests_cannot_exceed_the_limit(limited_app: FastAPI) -> None:
    found = await asyncio.gather(
        *(statuses(limited_app, f"2001:db8:0:{number % 2}::1", 1) for number in range(40))
    )
    assert Counter(status for (status,) in found) == {409: 6, 429: 34}


async def test_registration_is_limited(committing_client: AsyncClient) -> None:
    async def is_accepted(number: int) -> bool:
        new = {"email": f"user{number}@example.com", "password": PASSWORD}
        response = await committing_client.post(f"{AUTH}/register", json=new)
        assert response.is_success or response.status_code == 429
        return response.is_success

    assert sum(await asyncio.gather(*map(is_accepted, range(25)))) == 20
    # The limit has no effect on logins.
    form = {"username": EMAIL, "password": PASSWORD}
    assert (await committing_client.post(f"{AUTH}/token", data=form)).status_code == 401


def is_limited(route: APIRoute) -> bool:
    calls = [getattr(each.call, "__qualname__", "") for each in all_dependants(route.dependant)]
    return any(call.startswith(f"{limited.__qualname__}.") for call in calls)


def test_limited_routes_document_the_status() -> None:
    limited_routes = [route for route in HTTP_ROUTES if is_limited(route)]
    assert "register" in {route.name for route in limited_routes}
    assert [route.name for route in limited_routes if 429 not in route.responses] == []
