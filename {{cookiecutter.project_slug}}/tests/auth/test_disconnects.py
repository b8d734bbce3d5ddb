"""Clients that disconnect, on a real server: their passwords are not hashed."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pwdlib.hashers.argon2 import Argon2Hasher

from app.auth.passwords import PasswordHasher
from app.auth.settings import AuthSettings
from tests.auth.helpers import AUTH, OTHER_EMAIL, PASSWORD, create_user, log_in
from tests.waiting import wait_until

REQUESTS = 200
QUEUE = 32


def request_of(number: int) -> bytes:
    """Return a registration or a login, each from another client IP because of the limits."""
    if number % 2:
        path, media_type = "register", "application/json"
        body = json.dumps({"email": f"user{number}@example.com", "password": PASSWORD})
    else:
        path, media_type = "token", "application/x-www-form-urlencoded"
        body = urlencode({"username": OTHER_EMAIL, "password": PASSWORD})
    lines = [
        f"POST {AUTH}/{path} HTTP/1.1",
        "Host: test",
        f"X-Forwarded-For: 192.0.2.{number}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let each hash take 50 ms, and return a list to which it is added."""
    hashes: list[str] = []
    for name in ("hash", "verify"):
        original = getattr(Argon2Hasher, name)

        def run(*arguments: Any, original: Any = original, name: str = name, **options: Any) -> Any:
            hashes.append(name)
            time.sleep(0.05)
            return original(*arguments, **options)

        monkeypatch.setattr(Argon2Hasher, name, run)
    return hashes


@pytest.fixture
def passwords(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Return the password hasher of the application, whose queue is short."""
    hasher = PasswordHasher(AuthSettings(AUTH_HASH_QUEUE=QUEUE))
    monkeypatch.setattr(app.state.authentication, "passwords", hasher)
    return hasher


async def test_abandoned_requests_do_not_delay_the_next_login(
    live_server: str, app: FastAPI, passwords: PasswordHasher, hashes: list[str]
) -> None:
    url = urlsplit(live_server)
    waiting = passwords._queue._turns
    async with AsyncClient(base_url=live_server) as client:
        await create_user(app)
        connections = await asyncio.gather(
            *(asyncio.open_connection(url.hostname, url.port) for _ in range(REQUESTS))
        )
        for number, (_, writer) in enumerate(connections):
            writer.write(request_of(number))

        async def queue_is_full() -> bool:
            assert len(waiting) <= QUEUE
            return len(waiting) == QUEUE

        await wait_until(queue_is_full)
        assert (await client.get("/livez")).status_code == 200
        for _, writer in connections:
            writer.transport.abort()
        assert (await log_in(client)).status_code == 200
        assert len(waiting) == 0
        # Those that had begun when the client disconnected, not all of them.
        assert len(hashes) < REQUESTS / 4
