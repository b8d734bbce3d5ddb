"""The port and the database of `make run`, from the environment, `.env` or defaults."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import Field

from app.db.dsn import connect_kwargs
from app.settings import SERVICE_NAME, load_settings
from app.settings_base import SettingsGroup
from dev import DevelopmentError
from dev.embedded_server import embedded_postgres

# Tried in this order if PORT is not set.
PORTS = range(8000, 8100)
DATA_FOLDER = Path(__file__).parents[1] / ".data" / "postgres"


class ListenSettings(SettingsGroup):
    """The address to listen on: HOST and PORT."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)


def open_listener(listen: ListenSettings) -> socket.socket:
    """Return a listening socket. Raises `DevelopmentError` if no port is free."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    for port in [listen.port] if listen.port else PORTS:
        try:
            return socket.create_server((listen.host, port), family=family)
        except OSError as error:
            # EACCES: reserved by Windows, or below 1024.
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise DevelopmentError(f"HOST={listen.host} PORT={port}: {error}") from None
    ports = f"PORT={listen.port} is" if listen.port else f"Ports {PORTS[0]} to {PORTS[-1]} are"
    raise DevelopmentError(f"{ports} taken or reserved on HOST={listen.host}")


@contextmanager
def development_database() -> Iterator[str]:
    """Yield the URL of the configured database, without its password, or of an embedded one.

    An embedded database is also set as `DATABASE_URL`, so that the service uses it. Raises
    `SettingsError` for invalid settings, `DevelopmentError` if the embedded server does not start.
    """
    settings = load_settings().database
    if settings.is_configured:
        yield _redacted_url(connect_kwargs(settings))
        return
    with embedded_postgres(DATA_FOLDER, SERVICE_NAME) as url:
        os.environ["DATABASE_URL"] = url
        yield url


def _redacted_url(options: dict[str, Any]) -> str:
    """Return a URL for psql. Its query has the hosts, since only there it can have several."""
    query = {
        name: ",".join(map(str, value if isinstance(value, list) else [value]))
        for name in ("host", "port", "target_session_attrs")
        if (value := options[name]) not in (None, "any")
    }
    return f"postgresql://{quote(options['user'])}@/{options['database']}?{urlencode(query)}"
