"""The way to the database: from settings to the arguments of `asyncpg.connect`.

The application and Alembic share it, so that an address means the same to both.
"""

import re
import select
import sys
from math import ceil
from typing import Any
from urllib.parse import urlencode

import asyncpg
from pydantic import SecretStr
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.settings import DatabaseSettings, SettingsError

_SCHEMES = ("postgres", "postgresql", "postgresql+asyncpg")

# libpq's options that asyncpg reads from an address, with libpq's meaning. It takes any other
# name for a setting of the server, so that a mistyped `sslmode` would connect without TLS.
# https://magicstack.github.io/asyncpg/current/api/index.html#connection
_DRIVER_OPTIONS = {
    "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs",
}  # fmt: skip
# Seconds.
_SILENCE = 2
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class ServiceConnection(asyncpg.Connection):
    """A connection that writes in transactions only: a statement of its own is a read.

    The session is read-only, so the server sees to it, at the price of no round trip.
    """

    def is_usable(self) -> bool:
        """Whether the server has not closed it, asked while it is idle.

        A busy process may not have come to read the server's last word: so look, at the price of
        no round trip, whether there is anything to read. Only then does an idle server speak.
        """
        # The types of asyncpg leave it out.
        transport: Any = self._transport  # type: ignore[attr-defined]
        socket = None if self.is_closed() else transport.get_extra_info("socket")
        return socket is not None and not _has_input(socket)

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Run a command; a transaction that is begun so may write.

        Raises `RuntimeError` for a commit after an error that somebody has caught: the server
        rolls back then, and says so in its answer only.
        """
        if query.startswith("BEGIN") and "READ ONLY" not in query:
            query = query.replace(";", " READ WRITE;")
        done = await super().execute(query, *args, **options)
        if query.startswith("COMMIT") and done == "ROLLBACK":
            raise RuntimeError("nothing was stored: a statement has failed, and was passed over")
        return done


def _has_input(socket: Any) -> bool:
    if sys.platform == "win32":
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def connect_options(settings: DatabaseSettings, *, limits: bool = True) -> dict[str, Any]:
    """Keyword arguments for `asyncpg.connect`.

    `limits=False` leaves out what a request is held to and a migration is not: the limits on
    statements, and to write in a transaction.
    Raises `SettingsError` naming what is wrong with the address, never the address itself.
    """
    options = _from_url(_parse(settings.url)) if settings.url else _from_parts(settings)
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
        options["connection_class"] = ServiceConnection
    return options


def _parse(address: SecretStr) -> URL:
    try:
        url = make_url(address.get_secret_value())
    except (ArgumentError, ValueError):
        raise SettingsError(
            "DATABASE_URL is not an address like postgresql://user:password@host:5432/name"
            " (special characters in the password are percent-encoded)"
        ) from None
    if url.drivername not in _SCHEMES:
        raise SettingsError(f"DATABASE_URL begins with none of: {', '.join(_SCHEMES)}")
    unknown = set(url.query) - _DRIVER_OPTIONS - {"host", "port"}
    if unknown:
        raise SettingsError(f"DATABASE_URL has unknown options: {', '.join(sorted(unknown))}")
    if url.query.get("sslmode", "prefer") not in _SSL_MODES:
        raise SettingsError(f"DATABASE_URL: sslmode is none of: {', '.join(_SSL_MODES)}")
    port = _port(url)
    if port is not None and not (re.fullmatch("[0-9]{1,5}", str(port)) and 0 < int(port) < 65_536):
        raise SettingsError("DATABASE_URL: the port is not a number from 1 to 65535")
    return url


def _port(url: URL) -> Any:
    return url.query.get("port") if url.port is None else url.port


def _from_url(url: URL) -> dict[str, Any]:
    options = {name: value for name, value in url.query.items() if name in _DRIVER_OPTIONS}
    return {
        # A path as host, in the query as libpq has it, is the folder of a Unix socket.
        "host": url.host or url.query.get("host"),
        "port": _port(url),
        "user": url.username,
        "password": url.password,
        "database": url.database,
        # The driver takes TLS options in an address only.
        "dsn": f"postgresql://?{urlencode(options, doseq=True)}" if options else None,
    }


def _from_parts(settings: DatabaseSettings) -> dict[str, Any]:
    if settings.host is None:
        raise SettingsError("DATABASE_URL is missing (or POSTGRES_HOST and its like)")
    password = settings.password
    return {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": password.get_secret_value() if password else None,
        "database": settings.name,
    }
