"""DSNs with several hosts, and which of the hosts a connection uses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
import pytest
from sqlalchemy import text

from app.db import Database
from app.db.dsn import connect_kwargs
from app.db.repositories.base import Reader
from app.errors import UnavailableError
from app.settings import DatabaseSettings, Settings, SettingsError
from dev.settings import development_database
from tests.databases import connected, database_settings, url_from

SELECT_1 = text("SELECT 1")


def options(url: str) -> dict[str, Any]:
    return connect_kwargs(database_settings(url))


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://me@a,b/name", ["a", "b"], None),
        ("postgresql://me@a:1,b:2/name", ["a", "b"], [1, 2]),
        ("postgresql://me:p,w@a:1,b/name", ["a", "b"], [1, 5432]),
        ("postgresql://me@[::1]:1,[::2]:2/name", ["::1", "::2"], [1, 2]),
        ("postgresql://me@[::1]/name", "::1", None),
        ("postgresql://me@%2Frun%2Fpg:1,b/name", ["/run/pg", "b"], [1, 5432]),
        ("postgresql://me@/name?host=a,b&port=1,2", ["a", "b"], [1, 2]),
        ("postgresql://me@/name?host=a,b&port=1", ["a", "b"], [1, 1]),
        ("postgresql://me@/name?host=a&host=b&port=1&port=2", ["a", "b"], [1, 2]),
        ("postgresql://me@/name?host=a:1&host=b:2", ["a", "b"], [1, 2]),
        ("postgresql://me@/name?host=::1", "::1", None),
        ("postgresql://me@localhost:1/name?host=%2Fcloud%2Fa:b:c", "/cloud/a:b:c", None),
        ("postgresql://me@/name", None, None),
    ],
)
def test_hosts_are_parsed_as_by_libpq(url: str, host: object, port: object) -> None:
    found = options(url)
    assert (found["host"], found["port"]) == (host, port)
    assert (found["user"], found["database"]) == ("me", "name")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:hush@a:1,b:2/name?port=1,2,3", "3 ports for 2 hosts"),
        ("postgresql://me:hush@/name?host=a,b,c&port=1,2", "2 ports for 3 hosts"),
        ("postgresql://me:p@hush@a:1,b:2/name", "percent-encoded"),
        ("postgresql://me:p@hush@a/name", "percent-encoded"),
        ("postgresql://me:hush@a:1,b:x/name", "port"),
        ("postgresql://me:hush@a:1,b:65536/name", "port"),
        ("postgresql://me:hush@a,,b/name", "host is empty"),
        ("postgresql://me:hush@::1:5432/name", "IPv6"),
        ("postgresql://me:hush@a/name?target_session_attrs=writable", "target_session_attrs"),
    ],
)
def test_invalid_hosts_are_rejected_without_showing_password(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"DATABASE_URL.*{message}") as raised:
        options(url)
    assert "hush" not in str(raised.value)


def test_hosts_can_be_set_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_HOST", "a,b")
    monkeypatch.setenv("POSTGRES_USER", "me")
    found = connect_kwargs(DatabaseSettings())
    assert (found["host"], found["port"]) == (["a", "b"], None)
    monkeypatch.setenv("POSTGRES_PORT", "1,2")
    assert connect_kwargs(DatabaseSettings())["port"] == [1, 2]
    # Variables that come from files often end with a line break.
    monkeypatch.setenv("POSTGRES_HOST", "a, b\n")
    monkeypatch.setenv("POSTGRES_PORT", "1, 02\n")
    found = connect_kwargs(DatabaseSettings())
    assert (found["host"], found["port"]) == (["a", "b"], [1, 2])
    monkeypatch.setenv("POSTGRES_PORT", "1,2,3")
    with pytest.raises(SettingsError, match="POSTGRES_PORT: 3 ports for 2 hosts"):
        connect_kwargs(DatabaseSettings())
    monkeypatch.setenv("POSTGRES_PORT", "1,0")
    with pytest.raises(ValueError, match="65535"):
        DatabaseSettings()


def test_pgtargetsessionattrs_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    assert options("postgresql://me@a/name")["target_session_attrs"] == "standby"
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "writable")
    with pytest.raises(SettingsError, match="PGTARGETSESSIONATTRS"):
        options("postgresql://me@a/name")


def with_host_before(url: str, host: str, port: int, **query: str) -> str:
    """Return the URL of the same database with another host that is tried first."""
    last = options(url)
    query |= {"host": f"{host},{last['host']}", "port": f"{port},{last['port'] or 5432}"}
    parts = urlsplit(url)
    return parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | query)).geturl()


@asynccontextmanager
async def unresponsive_server() -> AsyncIterator[int]:
    """Yield the port of a server that accepts connections but never responds."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        server.close()
        for writer in writers:
            writer.close()


@asynccontextmanager
async def closing_server() -> AsyncIterator[int]:
    """Yield the port of a server that closes each connection at once, like a crashed server."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


async def test_unresponsive_host_leaves_time_for_next_host(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []
    connect = asyncpg.connect

    async def record_timeout(*args: Any, **options: Any) -> asyncpg.Connection:
        timeouts.append(options["timeout"])
        if options["port"] == port:
            options["timeout"] = 0.1  # Do not wait for as long as the service does.
        connection: asyncpg.Connection = await connect(*args, **options)
        return connection

    monkeypatch.setattr(asyncpg, "connect", record_timeout)
    async with unresponsive_server() as port:
        url = with_host_before(url_from(settings), "127.0.0.1", port, sslmode="disable")
        limits = {"pool_timeout": 60, "pool_min_size": 0}
        async with Database(database_settings(url).model_copy(update=limits)) as database:
            assert (await Reader(database).fetch_one(SELECT_1))[0] == 1
    assert timeouts == [30, 30]


async def test_host_that_closes_the_connection_is_skipped(settings: Settings) -> None:
    async with closing_server() as port:
        url = with_host_before(url_from(settings), "127.0.0.1", port, sslmode="disable")
        async with Database(database_settings(url)) as database:
            assert (await Reader(database).fetch_one(SELECT_1))[0] == 1


@pytest.mark.parametrize(
    ("attrs", "is_accepted"),
    [("any", True), ("primary", True), ("prefer-standby", True), ("read-write", True),
     ("standby", False), ("read-only", False)],
)  # fmt: skip
async def test_target_session_attrs_on_primary(
    settings: Settings, attrs: str, is_accepted: bool
) -> None:
    url = with_host_before(url_from(settings), "127.0.0.1", 1, target_session_attrs=attrs)
    async with Database(database_settings(url)) as database:
        if is_accepted:
            with pytest.raises(Exception, match="read-only transaction"):
                await Reader(database).fetch_all(text("CREATE TABLE written ()"))
            async with connected(url) as connection:
                assert await connection.fetchval("SELECT 1") == 1
        else:
            with pytest.raises(UnavailableError, match="reached") as raised:
                await Reader(database).fetch_one(SELECT_1)
            # The cause lists the reason for each host.
            assert "127.0.0.1:1: ConnectionRefused" in str(raised.value.__cause__)
            assert "TargetServerAttributeNotMatched" in str(raised.value.__cause__)


def test_development_server_accepts_several_hosts(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = with_host_before(server, "127.0.0.1", 1, target_session_attrs="read-write")
    monkeypatch.setenv("DATABASE_URL", url)
    with development_database() as printed_url:
        printed, configured = options(printed_url), options(url)
    for name in ("host", "port", "user", "database", "target_session_attrs"):
        assert printed[name] == configured[name]
