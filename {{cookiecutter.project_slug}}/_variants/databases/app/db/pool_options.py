"""Options of asyncpg's pool, and the class of its connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.db.base import Row
from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.db.guarded_connection import GuardedConnection, terminate
from app.errors import UnavailableError
from app.settings import DatabaseSettings


def pool_options(settings: DatabaseSettings) -> dict[str, Any]:
    """Return the options that `databases.Database` passes to `asyncpg.create_pool`."""
    options = connect_kwargs(settings)
    options["connect"] = connect
    options["connection_class"] = _PoolConnection
    options["record_class"] = Row
    # With a minimum, asyncpg would connect when the pool is opened, and opening would fail if the
    # database is unavailable.
    options["min_size"] = 0
    options["max_size"] = settings.pool_max_size
    # Skipping the reset saves a round trip when a connection is returned. Session state therefore
    # reaches the next borrower, so use SET LOCAL, and locks that end with the transaction.
    options["reset"] = _skip_reset
    return options


async def _skip_reset(_connection: Any) -> None:
    pass


class _PoolConnection(GuardedConnection):
    """Connection that is closed if a query exceeds its command timeout.

    All queries of the service use these three methods. Only commands that begin or end a
    transaction use `execute`; `Pool` and `SearchLimits` handle their timeouts.
    """

    async def fetch(self, *args: Any, **options: Any) -> Any:
        with _terminate_on_timeout(self):
            return await super().fetch(*args, **options)

    async def fetchrow(self, *args: Any, **options: Any) -> Any:
        with _terminate_on_timeout(self):
            return await super().fetchrow(*args, **options)

    async def fetchval(self, *args: Any, **options: Any) -> Any:
        with _terminate_on_timeout(self):
            return await super().fetchval(*args, **options)


@contextmanager
def _terminate_on_timeout(connection: Any) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        # The connection is closed, because a rollback on it would time out too.
        terminate(connection)
        raise UnavailableError("The database does not respond.") from error
