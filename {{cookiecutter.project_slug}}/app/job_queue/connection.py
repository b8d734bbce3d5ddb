"""The connection of a worker, and a check that notifications pass through it."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import asyncpg
from asyncpg import InterfaceError, PostgresError
from pgqueuer.db import AsyncpgDriver

from app.db.connection import connect
from app.db.dsn import connect_kwargs
from app.job_queue.settings import JobSettings
from app.settings import Settings, SettingsError

# Seconds for one statement, so that the worker notices a server that does not respond.
_COMMAND_TIMEOUT = 20
# Seconds until a notification must have arrived.
_NOTIFICATION_TIMEOUT = 5

_NOT_DIRECT = (
    "JOBS_DATABASE_URL must be set to a direct connection to PostgreSQL: the worker needs"
    " notifications, which do not pass through a pooler in transaction mode"
)


class WorkerDriver(AsyncpgDriver):
    """The connection of a worker, which closes if the server does not respond."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        super().__init__(connection)
        self.terminate = connection.terminate

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Return the rows of a query."""
        with self._terminated_on_timeout():
            return await super().fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        """Execute a statement and return its status."""
        with self._terminated_on_timeout():
            return await super().execute(query, *args)

    async def notify(self, channel: str, payload: str) -> None:
        """Send a notification."""
        with self._terminated_on_timeout():
            await super().notify(channel, payload)

    @contextmanager
    def _terminated_on_timeout(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            self.terminate()
            raise


def connection_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of `connect` for a worker.

    Raises `SettingsError` if they lead through a pooler, or are invalid.
    """
    database = settings.database
    url = settings.group(JobSettings).database_url
    if url is None and database.pooler != "none":
        raise SettingsError(_NOT_DIRECT)
    if url is not None:
        database = database.model_copy(update={"url": url, "pooler": "none"})
    try:
        options = connect_kwargs(database, for_requests=False)
    except SettingsError as error:
        if url is None:
            raise
        raise SettingsError(str(error).replace("DATABASE_URL", "JOBS_DATABASE_URL")) from None
    # Appears in `pg_stat_activity`.
    options["server_settings"]["application_name"] = f"{database.application_name} worker"
    return options | {"command_timeout": _COMMAND_TIMEOUT}


async def check_notifications(options: dict[str, Any]) -> None:
    """Raise `SettingsError` if notifications do not arrive.

    Does nothing if the server is unavailable.
    """
    channel = f"check_{uuid4().hex}"
    has_arrived = asyncio.Event()
    with ExitStack() as stack:
        try:
            listener = await connect(**options)
            stack.callback(listener.terminate)
            sender = await connect(**options)
            stack.callback(sender.terminate)
            await listener.add_listener(channel, lambda *_: has_arrived.set())
            await sender.execute(f"NOTIFY {channel}")
        except (OSError, PostgresError, InterfaceError):
            return
        try:
            async with asyncio.timeout(_NOTIFICATION_TIMEOUT):
                await has_arrived.wait()
        except TimeoutError:
            raise SettingsError(_NOT_DIRECT) from None
