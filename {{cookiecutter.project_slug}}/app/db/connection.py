"""Connections to the database: which server they go to, and what can be done on them."""

import select
import sys
from typing import Any

import asyncpg
from asyncpg.exceptions import (
    CannotConnectNowError,
    FeatureNotSupportedError,
    PostgresConnectionError,
    ReadOnlySQLTransactionError,
    TargetServerAttributeNotMatched,
)

_READ_ONLY = "default_transaction_read_only"

# Errors of one host, after which the next one is tried.
_HOST_ERRORS = (
    OSError,
    CannotConnectNowError,
    PostgresConnectionError,
    TargetServerAttributeNotMatched,
)


class GuardedConnection(asyncpg.Connection):
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

        Raises `ReadOnlySQLTransactionError` if it is begun on a standby, and `RuntimeError` for a
        commit after an error that somebody has caught: the server rolls back then, and says so in
        its answer only.
        """
        if query.startswith("BEGIN"):
            return await self._begin(query, *args, **options)
        done = await super().execute(query, *args, **options)
        if query.startswith("COMMIT") and done == "ROLLBACK":
            raise RuntimeError("nothing was stored: a statement has failed, and was passed over")
        return done

    async def _begin(self, query: str, *args: Any, **options: Any) -> str:
        if "READ ONLY" not in query:
            query = query.replace(";", " READ WRITE;")
        try:
            return await super().execute(query, *args, **options)
        except BaseException as error:
            # The driver would take each later transaction for one nested in this one.
            self.terminate()
            if isinstance(error, FeatureNotSupportedError):
                # A standby refuses READ WRITE with this state, which has other causes elsewhere.
                raise ReadOnlySQLTransactionError("the server is a standby") from error
            raise


def _has_input(socket: Any) -> bool:
    if sys.platform == "win32":
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


async def connect(dsn: str | None = None, **options: Any) -> asyncpg.Connection:
    """Connect to the first host that `target_session_attrs` accepts, as libpq does.

    Takes the options of `app.db.dsn.connect_kwargs`, and others of `asyncpg.connect`. Each
    host has an equal share of `timeout`, so that one that does not answer leaves time for the
    next. Raises what `asyncpg.connect` raises; `ConnectionError` if several hosts fail.
    """
    attempts = _attempts(options["host"], options["port"], options["target_session_attrs"])
    errors = []
    for attempt in attempts:
        share = {"timeout": options["timeout"] / len(attempts)}
        try:
            return await _connect_to_one(dsn, **options | attempt | share)
        except _HOST_ERRORS as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    reasons = zip(attempts, errors, strict=True)
    raise ConnectionError("; ".join(f"{a['host']}:{a['port']}: {e!r}" for a, e in reasons))


def _attempts(host: Any, port: Any, target_session_attrs: str) -> list[dict[str, Any]]:
    hosts = host if isinstance(host, list) else [host]
    ports = port if isinstance(port, list) else [port] * len(hosts)
    is_preference = target_session_attrs == "prefer-standby"
    passes = ["standby", "any"] if is_preference else [target_session_attrs]
    return [
        {"host": one, "port": its_port, "target_session_attrs": attrs}
        for attrs in passes
        for one, its_port in zip(hosts, ports, strict=True)
    ]


async def _connect_to_one(dsn: str | None, **options: Any) -> asyncpg.Connection:
    server_settings = dict(options["server_settings"])
    read_only = None
    if options["target_session_attrs"] in {"read-write", "read-only"}:
        # The driver decides by what the server reports, which must not be the service's setting.
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
