"""Parsing of `DATABASE_URL` and the `POSTGRES_...` variables."""

from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from app.db.dsn import connect_kwargs
from app.settings import DatabaseSettings, SettingsError
from tests.databases import database_settings

SPECIAL = "p@ss/w#rd?%41: &=+\"'\\"


def options(url: str) -> dict[str, Any]:
    return connect_kwargs(database_settings(url))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_url_is_decoded(scheme: str) -> None:
    found = options(f"{scheme}://me:{quote(SPECIAL, safe='')}@db.example:6000/a%20name")
    assert found["host"] == "db.example"
    assert found["port"] == 6000
    assert found["user"] == "me"
    assert found["password"] == SPECIAL
    assert found["database"] == "a name"


def test_parts_are_used_unencoded() -> None:
    found = connect_kwargs(
        DatabaseSettings(
            POSTGRES_HOST="db",
            POSTGRES_PORT=6000,
            POSTGRES_USER="me",
            POSTGRES_PASSWORD=SecretStr(SPECIAL),
            POSTGRES_DB="a name",
        )
    )
    assert found["password"] == SPECIAL
    assert (found["host"], found["port"], found["database"]) == ("db", 6000, "a name")


def test_host_that_is_a_path_is_a_unix_socket() -> None:
    found = options("postgresql://me@/name?host=%2Frun%2Fpostgresql&port=6000")
    assert (found["host"], found["port"]) == ("/run/postgresql", 6000)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://me:hush@db/name", "postgresql"),
        ("me:hush@db/name", "DATABASE_URL"),
        ("postgresql://me:hush@db:port/name", "DATABASE_URL"),
        ("postgresql://me:hush@db/name?sslmod=require", "sslmod"),
        ("postgresql://me:hush@db/name?min_size=1&sslmode=require", "min_size"),
        ("postgresql://me:hush@db/name?sslmode=requird", "sslmode"),
        ("postgresql://me:hush@db:0/name", "port"),
        ("postgresql://me:hush@db:65536/name", "port"),
        ("postgresql://me:hush@/name?host=db&port=abc", "port"),
        ("postgresql://me:hush@/name?host=db&port=1&port=2", "port"),
    ],
)
def test_invalid_url_is_rejected_without_showing_password(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        options(url)
    assert "hush" not in str(raised.value)


def test_timeouts_are_sent_when_connecting() -> None:
    settings = DatabaseSettings(
        POSTGRES_HOST="db", POSTGRES_USER="me", DB_STATEMENT_TIMEOUT=0.0001, DB_LOCK_TIMEOUT=2.5
    )
    assert connect_kwargs(settings)["server_settings"] == {
        "application_name": settings.application_name,
        "statement_timeout": "1",
        "lock_timeout": "2500",
        "idle_in_transaction_session_timeout": "60000",
        "default_transaction_read_only": "on",
    }


def test_migrations_have_no_timeouts() -> None:
    settings = DatabaseSettings(POSTGRES_HOST="db", POSTGRES_USER="me")
    found = connect_kwargs(settings, for_requests=False)
    assert found["server_settings"].keys() == {"application_name"}


def test_transaction_pooler_disables_statement_cache_and_session_settings() -> None:
    found = connect_kwargs(
        DatabaseSettings(POSTGRES_HOST="db", POSTGRES_USER="me", DB_POOLER="pgbouncer")
    )
    assert found["statement_cache_size"] == 0
    assert found["server_settings"].keys() == {"application_name"}
