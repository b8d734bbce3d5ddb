"""Registrations and logins whose clients disconnect, with production hash parameters."""

import asyncio
import json
from pathlib import Path
from time import monotonic
from urllib.parse import urlencode, urlsplit

import psutil
from conftest import Project

from resilience.accounts import create_user
from resilience.load import open_client
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service
from resilience.test_logins import AUTH, MAX_GROWTH, MIB, USER

REQUESTS = 200
# Seconds. These only detect that something hangs: without the queue, 200 hashes take a minute.
MAX_WAIT = 1
MAX_LOGIN = 10


def request_of(number: int) -> bytes:
    """Return a registration or a login, each from another client IP because of the limits."""
    if number % 2:
        path, media_type = "register", "application/json"
        body = json.dumps({**USER, "email": f"user{number}@example.com"})
    else:
        path, media_type = "token", "application/x-www-form-urlencoded"
        body = urlencode({"username": f"unknown{number}@example.com", "password": "wrong"})
    lines = [
        f"POST {AUTH}/{path} HTTP/1.1",
        "Host: test",
        f"X-Forwarded-For: 192.0.2.{number}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


async def test_abandoned_requests_do_not_delay_the_next_login(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    url = server.url(database)
    await create_user(project, url, **USER)
    async with (
        run_service(project, url, tmp_path / "log") as service,
        open_client(service) as client,
    ):
        form = {"username": USER["email"], "password": USER["password"]}
        began = monotonic()
        assert (await client.post(f"{AUTH}/token", data=form)).status_code == 200
        alone = monotonic() - began
        process = psutil.Process(service.process.pid)
        before = process.memory_info().rss
        address = urlsplit(service.base_url)
        connections = await asyncio.gather(
            *(asyncio.open_connection(address.hostname, address.port) for _ in range(REQUESTS))
        )
        for number, (_, writer) in enumerate(connections):
            writer.write(request_of(number))
        waits = []
        most = before
        for _ in range(20):
            sent = monotonic()
            assert (await client.get("/livez")).status_code == 200
            waits.append(monotonic() - sent)
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.01)
        for _, writer in connections:
            writer.transport.abort()
        began = monotonic()
        assert (await client.post(f"{AUTH}/token", data=form)).status_code == 200
        took = monotonic() - began
        most = max(most, process.memory_info().rss)
        accesses = [line for line in service.log_records() if line["logger"] == "app.access"]
        registered = sum(line["status"] == 202 for line in accesses)
        print(
            f"{REQUESTS} requests were abandoned; {registered} users were registered;"
            f" /livez took {max(waits) * 1000:.0f} ms at most; a login took {alone * 1000:.0f} ms"
            f" before and {took * 1000:.0f} ms after; {(most - before) / MIB:.0f} MiB more at most"
        )
        assert registered < REQUESTS / 4
        assert max(waits) < MAX_WAIT
        assert took < MAX_LOGIN
        assert most - before < MAX_GROWTH
