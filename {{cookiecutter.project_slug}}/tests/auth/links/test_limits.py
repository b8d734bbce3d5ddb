"""Limits of the requests that send links, and of those that use them."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from httpx2 import AsyncClient, Response

from tests.auth.helpers import log_in, register
from tests.auth.links.helpers import (
    NEW_PASSWORD,
    confirm,
    forgot,
    reset,
    reset_token,
    send_registration,
)
from tests.auth.links.outbox import Outbox

Send = Callable[[AsyncClient], Awaitable[Response]]


@pytest.mark.parametrize(
    ("limit", "send"),
    [
        (20, send_registration),
        (20, forgot),
        (100, lambda client: confirm(client, "unknown")),
        (100, lambda client: reset(client, "unknown")),
    ],
    ids=["register", "forgot", "confirm", "reset"],
)
async def test_requests_are_limited(
    committing_client: AsyncClient, sql: asyncpg.Connection, limit: int, send: Send
) -> None:
    assert (await send(committing_client)).status_code in {202, 404}
    await sql.execute("UPDATE rate_limits SET count = $1", limit - 1)
    assert (await send(committing_client)).status_code in {202, 404}
    response = await send(committing_client)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0


async def test_weak_password_is_rejected_and_keeps_the_link_valid(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    await register(committing_client)
    token = await reset_token(committing_client, outbox)
    response = await reset(committing_client, token, "password1")
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "password"]
    assert (await reset(committing_client, token)).status_code == 204
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 200
