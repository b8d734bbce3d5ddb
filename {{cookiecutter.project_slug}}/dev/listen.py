"""Where `make run` listens: `HOST` and `PORT`, from the environment or `.env`."""

import errno
import os
import socket

from pydantic import Field

from app.settings_base import SettingsError, SettingsGroup, load_group
from dev import DevelopmentError

PORTS = range(8000, 8100)


class ListenSettings(SettingsGroup):
    """An address of this machine; without a port, the first of `PORTS` that is free."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)


def load_listen_settings() -> ListenSettings:
    """Read the environment; raise `DevelopmentError` naming the variable that is wrong."""
    try:
        return load_group(ListenSettings)
    except SettingsError as error:
        raise DevelopmentError(str(error)) from None


def find_port(listen: ListenSettings) -> int:
    """Return a port on which a server can listen now, or raise `DevelopmentError`."""
    for port in [listen.port] if listen.port else PORTS:
        if is_free(listen.host, port):
            return port
    taken = f"PORT={listen.port} is" if listen.port else f"Ports {PORTS[0]} to {PORTS[-1]} are"
    raise DevelopmentError(f"{taken} taken or reserved on HOST={listen.host}")


def is_free(host: str, port: int) -> bool:
    """Return whether nothing listens there; raise `DevelopmentError` if nothing ever can."""
    # The same choice of family as uvicorn's.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":
            # The last connections of a server that has gone do not hold its port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            # Windows reserves ports for itself, others those below 1024.
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise DevelopmentError(f"Cannot listen on HOST={host} PORT={port}: {error}") from None
    return True
