"""What is secret is in no log line, no error and no documentation."""

import json
import logging
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.auth.helpers import AUTH, EMAIL, KEY, ME, PASSWORD, bearer, log_in, refresh, tokens_of

WRONG = "wrong-and-still-a-secret"


async def test_no_secret_is_logged_or_repeated(
    committing_client: AsyncClient, caplog: pytest.LogCaptureFixture, app: FastAPI, sql: Any
) -> None:
    client, texts = committing_client, []
    with caplog.at_level(logging.DEBUG):
        for email, password in ((EMAIL, PASSWORD), (EMAIL, WRONG), ("x", WRONG), (EMAIL, "tiny-1")):
            new = {"email": email, "password": password, "extra": WRONG}
            texts.append((await client.post(f"{AUTH}/register", json=new)).text)
            del new["extra"]
            texts.append((await client.post(f"{AUTH}/register", json=new)).text)
        texts += [(await log_in(client, password=given)).text for given in (WRONG, WRONG * 20)]
        tokens = await tokens_of(client)
        change = {"current_password": WRONG, "password": PASSWORD, "email": WRONG}
        texts.append((await client.patch(ME, json=change, headers=bearer(tokens))).text)
        del change["email"]
        texts.append((await client.patch(ME, json=change, headers=bearer(tokens))).text)
        forged = {"Authorization": f"Bearer {tokens['access_token']}x"}
        texts.append((await client.get(ME, headers=forged)).text)
        later = (await refresh(client, tokens)).json()
        texts.append((await refresh(client, tokens)).text)
        texts.append((await client.post(f"{AUTH}/logout", json={"refresh_token": 5})).text)
    hashes = [row["password_hash"] for row in await sql.fetch("SELECT password_hash FROM users")]
    secrets = [PASSWORD, WRONG, "tiny-1", KEY, *hashes, "$argon2"]
    secrets += [
        pair[name] for pair in (tokens, later) for name in ("access_token", "refresh_token")
    ]
    everything = caplog.text + str([vars(record) for record in caplog.records]) + "".join(texts)
    everything += json.dumps(app.openapi())
    assert len(texts) == 15
    assert "/api/v1/auth/token" in everything
    assert [secret for secret in secrets if secret in everything] == []
