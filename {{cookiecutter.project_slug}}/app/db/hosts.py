"""Parse the hosts and ports of a database that may run on several servers, as libpq does.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
"""

import re
from urllib.parse import unquote

from app.settings import SettingsError

_DEFAULT_PORT = 5432
# `/folder/of/a/unix/socket`, `[IPv6 address]:port` or `host:port`; the ports are optional.
_ENTRY = re.compile(r"(/.*)|\[([^]]+)](?::([^:]*))?|([^][:]*)(?::([^:]*))?")

Hosts = str | list[str] | None
Ports = int | list[int] | None


def split_hosts(url: str) -> tuple[str, str]:
    """Return the URL without its hosts, and the hosts: SQLAlchemy parses only a single host."""
    match = re.match(r"([\w+]+://(?:[^:/]*(?::[^@]*)?@)?)([^/?]*)", url)
    return (match[1] + url[match.end() :], match[2]) if match else (url, "")


def parse_hosts(
    hosts: str, ports: str, *, is_percent_encoded: bool, source: str
) -> tuple[Hosts, Ports]:
    """Return host and port, or lists of them, as `asyncpg.connect` accepts them.

    `hosts` is a comma-separated list of `host` or `host:port`.
    `ports`, if not empty, overrides the ports: one for all hosts, or one for each.
    Raises `SettingsError`, whose message begins with `source`, if they are invalid.
    """
    entries = [
        _parse_entry(entry.strip(), is_percent_encoded, source) for entry in hosts.split(",")
    ]
    port_list = ports.split(",") if ports else [port for _, port in entries]
    if len(port_list) == 1:
        port_list *= len(entries)
    if len(port_list) != len(entries):
        raise SettingsError(f"{source}: {len(port_list)} ports for {len(entries)} hosts")
    numbers = [_parse_port(port, source) for port in port_list]
    if len(entries) == 1:
        return entries[0][0] or None, numbers[0]
    names = [name for name, _ in entries]
    if not all(names):
        raise SettingsError(f"{source}: a host is empty")
    # A list without any port is left to asyncpg, whose default may be PGPORT.
    return names, [number or _DEFAULT_PORT for number in numbers] if any(numbers) else None


def _parse_entry(entry: str, is_percent_encoded: bool, source: str) -> tuple[str, str]:
    """Return the host and the port, which is empty if there is none."""
    if is_percent_encoded and "@" in entry:
        # The part of a password after an unescaped `@`; no message may contain it.
        raise SettingsError(f"{source}: special characters in the password must be percent-encoded")
    if not is_percent_encoded and entry.count(":") > 1 and entry[0] not in "/[":
        # An IPv6 address without brackets.
        return entry, ""
    match = _ENTRY.fullmatch(entry)
    if match is None:
        raise SettingsError(f"{source}: a host must be `host:port` or `[IPv6 address]:port`")
    socket, ipv6, ipv6_port, name, name_port = match.groups()
    host = socket or ipv6 or name
    return unquote(host) if is_percent_encoded else host, ipv6_port or name_port or ""


def _parse_port(port: str, source: str) -> int | None:
    if port == "":
        return None
    if not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65_536):
        raise SettingsError(f"{source}: the port must be a number from 1 to 65535")
    return int(port)
