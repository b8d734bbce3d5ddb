"""The pages to which links lead."""

import re
from base64 import b64encode
from hashlib import sha256

import asyncpg
import pytest
from httpx2 import AsyncClient

from tests.auth.links.helpers import confirm, registration_token
from tests.auth.links.outbox import Outbox


@pytest.mark.parametrize(
    ("path", "action"),
    [("/confirm", "api/v1/auth/confirm"), ("/reset-password", "api/v1/auth/password/reset")],
)
async def test_page_has_a_form_and_runs_only_its_own_script(
    client: AsyncClient, path: str, action: str
) -> None:
    response = await client.get(path, params={"token": "<script>alert(1)</script>"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f'action="{action}"' in response.text
    assert ('type="password"' in response.text) == ("password" in path)
    (script,) = re.findall(r"<script>(.*?)</script>", response.text, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}'; ")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert "alert" not in response.text


async def test_opening_a_page_does_not_use_the_token(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    token = await registration_token(committing_client, outbox)
    for method in ("GET", "HEAD"):
        await committing_client.request(method, "/confirm", params={"token": token})
    assert await sql.fetchval("SELECT count(*) FROM unconfirmed_users") == 1
    assert (await confirm(committing_client, token)).status_code == 204
