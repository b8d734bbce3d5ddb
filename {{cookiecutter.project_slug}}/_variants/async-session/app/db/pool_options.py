"""Options of SQLAlchemy's engine and pool, and of asyncpg's connections."""

from typing import Any
from uuid import uuid4

from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.settings import DatabaseSettings


def pool_options(settings: DatabaseSettings) -> dict[str, Any]:
    """Return options for `sqlalchemy.ext.asyncio.create_async_engine`."""
    return {
        "connect_args": _connect_args(settings),
        "pool_size": settings.pool_max_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_timeout,
        # Errors and log lines would otherwise contain the values of statements, such as password
        # hashes.
        "hide_parameters": True,
    }


def _connect_args(settings: DatabaseSettings) -> dict[str, Any]:
    """Return the server, the credentials, and how to connect.

    A URL of SQLAlchemy cannot express all of them, such as several hosts.
    """
    options = connect_kwargs(settings)
    options["async_creator_fn"] = connect
    if settings.pooler == "pgbouncer":
        # Behind PgBouncer, prepared statements outlive their client, so each gets a unique name
        # and none is cached.
        options["prepared_statement_cache_size"] = 0
        options["prepared_statement_name_func"] = lambda: f"__{uuid4()}__"
    return options
