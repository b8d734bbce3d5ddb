"""The hosts and ports of a server that may run on several machines, in the forms of libpq.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
"""

import re
from urllib.parse import unquote

from app.settings import SettingsError

_DEFAULT_PORT = 5432
# A Unix socket's folder; or a name or an address, and a port.
_ENTRY = re.compile(r"(/.*)|\[([^]]+)](?::([^:]*))?|([^][:]*)(?::([^:]*))?")

Hosts = str | list[str] | None
Ports = int | list[int] | None


def split_hosts(url: str) -> tuple[str, str]:
    """Return a URL without its hosts, of which SQLAlchemy accepts only one, and the hosts."""
    match = re.match(r"([\w+]+://(?:[^:/]*(?::[^@]*)?@)?)([^/?]*)", url)
    return (match[1] + url[match.end() :], match[2]) if match else (url, "")


def parse_hosts(hosts: str, ports: str, *, is_quoted: bool, source: str) -> tuple[Hosts, Ports]:
    """Return host and port, or lists of them, as `asyncpg.connect` takes them.

    `hosts` is a comma-separated list of `host` or `host:port`. `ports`, if not empty, replaces
    the ports: one for all hosts, or one for each.
    Raises `SettingsError`, beginning with `source`, if they do not fit together.
    """
    entries = [_parse_entry(entry.strip(), is_quoted, source) for entry in hosts.split(",")]
    given = ports.split(",") if ports else [port for _, port in entries]
    if len(given) == 1:
        given *= len(entries)
    if len(given) != len(entries):
        raise SettingsError(f"{source}: {len(given)} ports for {len(entries)} hosts")
    numbers = [_parse_port(port, source) for port in given]
    if len(entries) == 1:
        return entries[0][0] or None, numbers[0]
    names = [name for name, _ in entries]
    if not all(names):
        raise SettingsError(f"{source}: a host is empty")
    # The driver's default, which may be PGPORT, is for a list without any port.
    return names, [number or _DEFAULT_PORT for number in numbers] if any(numbers) else None


def _parse_entry(entry: str, is_quoted: bool, source: str) -> tuple[str, str]:
    if is_quoted and "@" in entry:
        # The rest of a password, which no message may contain.
        raise SettingsError(f"{source}: special characters in the password are percent-encoded")
    if not is_quoted and entry.count(":") > 1 and entry[0] not in "/[":
        return entry, ""
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise SettingsError(f"{source}: a host is neither `host:port` nor `[IPv6 address]:port`")
    socket, address, address_port, name, name_port = match.groups()
    host = socket or address or name
    return unquote(host) if is_quoted else host, address_port or name_port or ""


def _parse_port(port: str, source: str) -> int | None:
    if port == "":
        return None
    if not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65_536):
        raise SettingsError(f"{source}: the port is not a number from 1 to 65535")
    return int(port)
