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
from app.settings import SERVICE_NAME, SettingsError, load_settings
from app.settings_base import SettingsGroup, load_group
from dev import DevelopmentError
from dev.embedded_server import embedded_postgres

PORTS = range(8000, 8100)
DATA_FOLDER = Path(__file__).parents[1] / ".data" / "postgres"


class ListenSettings(SettingsGroup):
    """Bind address; without a port, the first free one of `PORTS`."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)


def load_listen_settings() -> ListenSettings:
    """Read the settings. Raises `DevelopmentError` naming an invalid one."""
    try:
        return load_group(ListenSettings)
    except SettingsError as error:
        raise DevelopmentError(str(error)) from None


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
    """Yield the database URL for psql. An embedded database is also set as `DATABASE_URL`.

    Raises `DevelopmentError` for invalid settings, or if the embedded server does not start.
    """
    try:
        settings = load_settings().database
        options = connect_kwargs(settings) if settings.is_configured else None
    except SettingsError as error:
        raise DevelopmentError(str(error)) from None
    if options:
        yield _redacted_url(options)
    else:
        with embedded_postgres(DATA_FOLDER, SERVICE_NAME) as os.environ["DATABASE_URL"]:
            yield os.environ["DATABASE_URL"]


def _redacted_url(options: dict[str, Any]) -> str:
    """Return a URL without the password. Only its query has place for several hosts and sockets."""
    query = {
        name: ",".join(map(str, value if isinstance(value, list) else [value]))
        for name in ("host", "port", "target_session_attrs")
        if (value := options[name]) not in (None, "any")
    }
    return f"postgresql://{quote(options['user'])}@/{options['database']}?{urlencode(query)}"
