"""Connect to one of several hosts, as libpq does.

asyncpg can try several hosts too, but it spends the whole timeout on a host that does not respond.
It also mistakes the read-only session setting of this service for a property of the server.
"""

from typing import Any

import asyncpg
from asyncpg.exceptions import (
    CannotConnectNowError,
    PostgresConnectionError,
    TargetServerAttributeNotMatched,
)

_READ_ONLY = "default_transaction_read_only"

# Errors after which the next host is tried.
_HOST_ERRORS = (
    OSError,
    CannotConnectNowError,
    PostgresConnectionError,
    TargetServerAttributeNotMatched,
)


async def connect(dsn: str | None = None, **options: Any) -> asyncpg.Connection:
    """Connect to the first host that meets `target_session_attrs`.

    Accepts the result of `app.db.dsn.connect_kwargs` and other options of `asyncpg.connect`.
    `timeout` is divided equally between the hosts, so that an unresponsive host leaves time for the
    others.

    If a single host fails, the error of `asyncpg.connect` is raised. If several hosts fail, a
    `ConnectionError` with all reasons is raised.
    """
    attempts = _attempts(options["host"], options["port"], options["target_session_attrs"])
    timeout = options["timeout"] / len(attempts)
    errors = []
    for attempt in attempts:
        try:
            return await _connect_to_one(dsn, **options | attempt | {"timeout": timeout})
        except _HOST_ERRORS as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    reasons = [
        f"{attempt['host']}:{attempt['port']}: {error!r}"
        for attempt, error in zip(attempts, errors, strict=True)
    ]
    raise ConnectionError("; ".join(reasons))


def _attempts(host: Any, port: Any, target_session_attrs: str) -> list[dict[str, Any]]:
    """Return the options of each attempt, in order.

    `prefer-standby` tries all hosts as a standby first, and then all of them as any server.
    """
    hosts = host if isinstance(host, list) else [host]
    ports = port if isinstance(port, list) else [port] * len(hosts)
    is_preference = target_session_attrs == "prefer-standby"
    passes = ["standby", "any"] if is_preference else [target_session_attrs]
    return [
        {"host": one_host, "port": one_port, "target_session_attrs": attrs}
        for attrs in passes
        for one_host, one_port in zip(hosts, ports, strict=True)
    ]


async def _connect_to_one(dsn: str | None, **options: Any) -> asyncpg.Connection:
    """Connect to one host, and apply the session settings of the options."""
    server_settings = dict(options["server_settings"])
    read_only = None
    if options["target_session_attrs"] in {"read-write", "read-only"}:
        # For these two, asyncpg reads the same setting to find out whether the server is writable.
        # So it is set only after asyncpg has connected.
        read_only = server_settings.pop(_READ_ONLY, None)
    connection: asyncpg.Connection = await asyncpg.connect(
        dsn, **options | {"server_settings": server_settings}
    )
    if read_only:
        try:
            await connection.execute(f"SET {_READ_ONLY} = on", timeout=options["timeout"])
        except BaseException:
            connection.terminate()
            raise
    return connection
