"""Convert the database settings to the arguments of `app.db.connection.connect`.

The service and Alembic both connect with them, so a `DATABASE_URL` means the same to both. It is
parsed here because asyncpg takes every unknown option for a server setting: with a mistyped
`sslmode` it would connect without TLS.
"""

import os
from math import ceil
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.db.credentials import check_files, check_user
from app.db.guarded_connection import GuardedConnection
from app.db.hosts import Hosts, parse_hosts, split_hosts
from app.settings import DatabaseSettings, SettingsError

_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")

# Options of libpq for TLS. asyncpg reads them from a DSN with the same meaning.
# https://magicstack.github.io/asyncpg/current/api/index.html#connection
_TLS_OPTIONS = {
    "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
}  # fmt: skip
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

# In seconds. The client's timeout is this much longer than the server's, so that normally the
# server cancels the statement. The client's applies if the server or the network fails.
_COMMAND_TIMEOUT_MARGIN = 2


def connect_kwargs(settings: DatabaseSettings, *, for_requests: bool = True) -> dict[str, Any]:
    """Return keyword arguments for `app.db.connection.connect`.

    Pass `for_requests=False` for migrations: no statement timeouts, and no read-only default, so
    that DDL can run outside a transaction.

    Behind PgBouncer, the session limits are not set, because PgBouncer rejects them. The client's
    `command_timeout` remains.

    Raises `SettingsError` if the settings are invalid; no message contains the URL.
    """
    options = _from_url(settings.url) if settings.url else _from_parts(settings)
    options["timeout"] = settings.pool_timeout
    options["server_settings"] = {"application_name": settings.application_name}
    if settings.pooler == "pgbouncer":
        # With transaction pooling, a statement that is prepared on one server connection is unknown
        # on the next.
        options["statement_cache_size"] = 0
    elif for_requests:
        options["server_settings"] |= _session_limits(settings)
    if for_requests:
        options["command_timeout"] = settings.statement_timeout + _COMMAND_TIMEOUT_MARGIN
        options["connection_class"] = GuardedConnection
    return options


def _session_limits(settings: DatabaseSettings) -> dict[str, str]:
    """Return the session settings that limit a connection: timeouts, and read-only by default."""
    timeouts = {
        "statement_timeout": settings.statement_timeout,
        "lock_timeout": settings.lock_timeout,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_timeout,
    }
    # PostgreSQL's unit is the millisecond. Rounded up, because 0 would mean "no limit".
    limits = {name: str(ceil(seconds * 1000)) for name, seconds in timeouts.items()}
    return limits | {"default_transaction_read_only": "on"}


def _from_url(database_url: SecretStr) -> dict[str, Any]:
    """Return the server, the credentials and the TLS options of `DATABASE_URL`."""
    without_hosts, hosts = split_hosts(database_url.get_secret_value())
    url = _parse(without_hosts)
    tls = {name: value for name, value in url.query.items() if name in _TLS_OPTIONS}
    # As in libpq, `host` and `port` in the query take precedence. Hosts before the `?` are still
    # percent-encoded; `make_url` has decoded those in the query.
    host, port = parse_hosts(
        _joined(url, "host") or hosts,
        _joined(url, "port"),
        is_percent_encoded="host" not in url.query,
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
        "target_session_attrs": _session_attrs(url.query.get("target_session_attrs")),
        # asyncpg accepts TLS options by name only in a DSN.
        "dsn": f"postgresql://?{urlencode(tls, doseq=True)}" if tls else None,
    }


def _from_parts(settings: DatabaseSettings) -> dict[str, Any]:
    """Return the server and the credentials of the `POSTGRES_...` settings."""
    if settings.host is None:
        raise SettingsError("set DATABASE_URL, or POSTGRES_HOST and POSTGRES_USER")
    ports = str(settings.port or "")
    source = "POSTGRES_HOST, POSTGRES_PORT"
    host, port = parse_hosts(settings.host, ports, is_percent_encoded=False, source=source)
    password = settings.password.get_secret_value() if settings.password else None
    check_user(settings.user, "POSTGRES_USER is missing")
    check_files({}, password=password, is_tcp=_is_tcp(host))
    return {
        "host": host,
        "port": port,
        "user": settings.user,
        "password": password,
        "database": settings.name,
        "target_session_attrs": _session_attrs(None),
    }


def _parse(database_url: str) -> URL:
    """Parse and validate a URL without hosts. Raises `SettingsError` if it is invalid."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "DATABASE_URL must look like postgresql://user:password@host:5432/name"
            " (special characters in the password must be percent-encoded)"
        ) from None
    if url.drivername not in _SCHEMES:
        raise SettingsError(f"DATABASE_URL: unsupported scheme; use one of {', '.join(_SCHEMES)}")
    unknown = set(url.query) - _TLS_OPTIONS - {"host", "port", "target_session_attrs"}
    if unknown:
        raise SettingsError(f"DATABASE_URL: unknown options {', '.join(sorted(unknown))}")
    if url.query.get("sslmode", "prefer") not in _SSL_MODES:
        raise SettingsError(f"DATABASE_URL: sslmode must be one of {', '.join(_SSL_MODES)}")
    return url


def _joined(url: URL, name: str) -> str:
    """Return a query parameter, with its values joined by commas if it is repeated."""
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _is_tcp(hosts: Hosts) -> bool:
    """Return whether a host is reached by TCP.

    A host that begins with a slash is the folder of a Unix socket, and so is a missing host.
    """
    names = hosts if isinstance(hosts, list) else [hosts or "/"]
    return any(not name.startswith("/") for name in names)


def _session_attrs(value: Any) -> str:
    """Return the validated `target_session_attrs`, which defaults to `PGTARGETSESSIONATTRS`.

    `value` is the option of `DATABASE_URL`, or None.
    """
    source = "DATABASE_URL: target_session_attrs"
    if value is None:
        source = "PGTARGETSESSIONATTRS"
        value = os.environ.get(source) or "any"
    if value not in _SESSION_ATTRS:
        raise SettingsError(f"{source} must be one of {', '.join(_SESSION_ATTRS)}")
    return str(value)
