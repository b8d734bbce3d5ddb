"""The way to the database: from settings to the arguments of `asyncpg.connect`.

The application and Alembic share it, so that an address means the same to both.
"""

import os
from math import ceil
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.db.connection import GuardedConnection
from app.db.credentials import check_files, check_user
from app.db.hosts import Hosts, parse_hosts, split_hosts
from app.settings import DatabaseSettings, SettingsError

_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")

# libpq's options that asyncpg reads from an address, with libpq's meaning. It takes any other
# name for a setting of the server, so that a mistyped `sslmode` would connect without TLS.
# https://magicstack.github.io/asyncpg/current/api/index.html#connection
_DRIVER_OPTIONS = {
    "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
}  # fmt: skip
# Seconds.
_SILENCE = 2
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")


def connect_kwargs(settings: DatabaseSettings, *, limits: bool = True) -> dict[str, Any]:
    """Return keyword arguments for `app.db.connection.connect`.

    `limits=False` leaves out what a request is held to and a migration is not: the limits on
    statements, and to write in a transaction.
    Raises `SettingsError` naming what is wrong with the address, never the address itself.
    """
    options = _from_url(settings.url) if settings.url else _from_parts(settings)
    options["target_session_attrs"] = _session_attrs(options["target_session_attrs"])
    options["timeout"] = settings.pool_timeout
    if limits:
        # The server ends a statement before that, unless it, or the network, is silent.
        options["command_timeout"] = settings.statement_timeout + _SILENCE
    options["server_settings"] = {"application_name": settings.application_name}
    if settings.pooler == "pgbouncer":
        # A transaction pooler hands each transaction another server connection: statements
        # prepared on one are unknown on the next, and it refuses session settings.
        options["statement_cache_size"] = 0
    elif limits:
        times = {
            "statement_timeout": settings.statement_timeout,
            "lock_timeout": settings.lock_timeout,
            "idle_in_transaction_session_timeout": settings.idle_in_transaction_timeout,
        }
        # PostgreSQL counts milliseconds, and takes zero for "no limit".
        options["server_settings"] |= {name: str(ceil(s * 1000)) for name, s in times.items()}
        options["server_settings"]["default_transaction_read_only"] = "on"
    if limits:
        options["connection_class"] = GuardedConnection
    return options


def _from_url(address: SecretStr) -> dict[str, Any]:
    without_hosts, hosts = split_hosts(address.get_secret_value())
    url = _parse(without_hosts)
    tls = {name: value for name, value in url.query.items() if name in _DRIVER_OPTIONS}
    # As libpq has it, what stands in the query replaces what stands before the path. A path as
    # host is the folder of a Unix socket.
    host, port = parse_hosts(
        _joined(url, "host") or hosts,
        _joined(url, "port"),
        is_quoted="host" not in url.query,
        source="DATABASE_URL",
    )
    user = url.username or None
    check_user(user, "DATABASE_URL names no user")
    check_files(tls, password=url.password, is_tcp=_is_tcp(host))
    return {
        "host": host,
        "port": port,
        "user": user,
        "password": url.password,
        "database": url.database,
        "target_session_attrs": url.query.get("target_session_attrs"),
        # The driver takes TLS options in an address only.
        "dsn": f"postgresql://?{urlencode(tls, doseq=True)}" if tls else None,
    }


def _parse(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "DATABASE_URL is not an address like postgresql://user:password@host:5432/name"
            " (special characters in the password are percent-encoded)"
        ) from None
    if url.drivername not in _SCHEMES:
        raise SettingsError(f"DATABASE_URL begins with none of: {', '.join(_SCHEMES)}")
    unknown = set(url.query) - _DRIVER_OPTIONS - {"host", "port", "target_session_attrs"}
    if unknown:
        raise SettingsError(f"DATABASE_URL has unknown options: {', '.join(sorted(unknown))}")
    if url.query.get("sslmode", "prefer") not in _SSL_MODES:
        raise SettingsError(f"DATABASE_URL: sslmode is none of: {', '.join(_SSL_MODES)}")
    return url


def _joined(url: URL, name: str) -> str:
    # SQLAlchemy's form of a list repeats the name, libpq's has commas.
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _is_tcp(hosts: Hosts) -> bool:
    names = hosts if isinstance(hosts, list) else [hosts or "/"]
    return any(not name.startswith("/") for name in names)


def _session_attrs(value: Any) -> str:
    source = "DATABASE_URL: target_session_attrs"
    if value is None:
        source = "PGTARGETSESSIONATTRS"
        value = os.environ.get(source) or "any"
    if value not in _SESSION_ATTRS:
        raise SettingsError(f"{source} is none of: {', '.join(_SESSION_ATTRS)}")
    return str(value)


def _from_parts(settings: DatabaseSettings) -> dict[str, Any]:
    if settings.host is None:
        raise SettingsError("DATABASE_URL is missing (or POSTGRES_HOST and its like)")
    ports = str(settings.port or "")
    source = "POSTGRES_HOST, POSTGRES_PORT"
    host, port = parse_hosts(settings.host, ports, is_quoted=False, source=source)
    password = settings.password.get_secret_value() if settings.password else None
    check_user(settings.user, "POSTGRES_USER is missing")
    check_files({}, password=password, is_tcp=_is_tcp(host))
    return {
        "host": host,
        "port": port,
        "user": settings.user,
        "password": password,
        "database": settings.name,
        "target_session_attrs": None,
    }
