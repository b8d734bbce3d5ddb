"""Options of asyncpg's pool."""

from types import SimpleNamespace
from typing import Any

import asyncpg

from app.db.compilation import DIALECT
from app.db.connection import connect
from app.db.driver import DriverConnection
from app.db.dsn import connect_kwargs
from app.settings import DatabaseSettings


def pool_options(settings: DatabaseSettings) -> dict[str, Any]:
    """Return the options that `databases.Database` passes to `asyncpg.create_pool`."""
    options = connect_kwargs(settings)
    options["connect"] = connect
    options["connection_class"] = DriverConnection
    options["init"] = _set_json_codecs
    # With a minimum, asyncpg would connect when the pool is opened, and opening would fail if the
    # database is unavailable.
    options["min_size"] = 0
    options["max_size"] = settings.pool_max_size
    # Skipping the reset saves a round trip when a connection is returned. Session state therefore
    # reaches the next borrower, so use SET LOCAL, and locks that end with the transaction.
    options["reset"] = _skip_reset
    return options


async def _set_json_codecs(connection: asyncpg.Connection) -> None:
    """Decode JSON as SQLAlchemy's engine does, also in the results of textual SQL."""
    adapted = SimpleNamespace(_connection=connection)
    await DIALECT.setup_asyncpg_json_codec(adapted)
    await DIALECT.setup_asyncpg_jsonb_codec(adapted)


async def _skip_reset(_connection: Any) -> None:
    pass
