"""asyncpg connection that writes only in explicit transactions, and detects failed commits."""

import select
import sys
from contextlib import suppress
from typing import Any

import asyncpg
from asyncpg.exceptions import (
    FeatureNotSupportedError,
    InFailedSQLTransactionError,
    InterfaceError,
    ReadOnlySQLTransactionError,
)


class StandbyError(ReadOnlySQLTransactionError):
    """A transaction that writes was begun on a standby."""


class SuppressedError(RuntimeError):
    """The transaction or savepoint was rolled back at its end, because a statement had failed.

    Otherwise, the caller would not notice: it has suppressed the exception of the statement.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the {name} was rolled back because an earlier statement failed and its error was"
            " suppressed"
        )


class GuardedConnection(asyncpg.Connection):
    """Connection that is read-only outside explicit transactions.

    `app.db.dsn` makes the session read-only (`default_transaction_read_only`), which the server
    enforces without an extra round trip. This class makes explicit transactions READ WRITE again.
    """

    def is_alive(self) -> bool:
        """Return False if the server has closed the connection while it was idle.

        No round trip is needed: an idle server sends data only when it closes the connection.
        The socket is checked because a busy event loop may not have read that data yet.
        """
        # asyncpg's type stubs omit the attribute.
        transport: Any = self._transport  # type: ignore[attr-defined]
        socket = None if self.is_closed() else transport.get_extra_info("socket")
        return socket is not None and not _has_input(socket)

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """Execute a command. Start transactions as READ WRITE, unless they are READ ONLY.

        Raises `StandbyError` if the server is a standby and the transaction is READ WRITE. Raises
        `SuppressedError` if COMMIT or RELEASE has rolled back.
        """
        if query.startswith("BEGIN"):
            return await self._begin(query, *args, **options)
        try:
            status = await super().execute(query, *args, **options)
        except InFailedSQLTransactionError as error:
            if not query.startswith("RELEASE"):
                raise
            raise await self.undo_savepoint(query) from error
        if query.startswith("COMMIT") and status == "ROLLBACK":
            raise SuppressedError("transaction")
        return status

    async def undo_savepoint(self, release: str) -> SuppressedError:
        """Roll back to a savepoint whose RELEASE has failed. Return the error to raise."""
        await super().execute(release.replace("RELEASE", "ROLLBACK TO", 1))
        return SuppressedError("savepoint")

    async def _begin(self, query: str, *args: Any, **options: Any) -> str:
        # asyncpg sends `BEGIN;`, or `BEGIN READ ONLY;` for `transaction(readonly=True)`.
        if "READ ONLY" not in query:
            query = query.replace(";", " READ WRITE;")
        try:
            return await super().execute(query, *args, **options)
        except BaseException as error:
            # asyncpg would treat every later transaction as nested in the failed one.
            self.terminate()
            if isinstance(error, FeatureNotSupportedError):
                # A standby rejects READ WRITE with this error. In other statements, the error has
                # other causes, so only this one is converted.
                raise StandbyError("the server is a standby") from error
            raise


def terminate(connection: Any) -> None:
    """Close a connection at once, without waiting for the server, unless it is closed already."""
    with suppress(InterfaceError):
        connection.terminate()


def _has_input(socket: Any) -> bool:
    """Return whether the socket has data to read, or is closed by the other side."""
    if sys.platform == "win32":
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
