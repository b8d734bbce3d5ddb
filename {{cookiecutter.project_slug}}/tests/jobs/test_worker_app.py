"""The worker as an application: its probes, and the connection that it requires."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.db.connection import connect
from app.job_queue import connection
from app.job_queue.connection import check_notifications, connection_options
from app.job_queue.settings import JobSettings
from app.settings import Settings, SettingsError
from app.worker import create_worker
from tests.databases import create_database, drop_database, url_from
from tests.in_process import InProcessTransport


@pytest.fixture
def _restored_process() -> Iterator[None]:
    """Restore what a worker changes in its process."""
    handler, handlers = signal.getsignal(signal.SIGTERM), [*logging.getLogger().handlers]
    levels = {name: logging.getLogger(name).level for name in ("root", "pgqueuer")}
    yield
    signal.signal(signal.SIGTERM, handler)
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def with_job_database(settings: Settings, url: str | None, pooler: str) -> Settings:
    """Return settings with JOBS_DATABASE_URL and DB_POOLER."""
    database = settings.database.model_copy(update={"pooler": pooler})
    jobs = JobSettings(JOBS_DATABASE_URL=SecretStr(url) if url else None)
    return Settings(service=settings.service, database=database, components=(jobs,))


@pytest.mark.usefixtures("queue", "_restored_process")
async def test_worker_is_ready_while_it_takes_jobs(settings: Settings) -> None:
    app = create_worker(settings)
    client = AsyncClient(transport=InProcessTransport(app), base_url="http://test")
    async with client, app.router.lifespan_context(app), asyncio.timeout(20):
        assert (await client.get("/livez")).status_code == 200
        while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - a probe
            await asyncio.sleep(0.05)
        await app.state.readiness.worker.stop(within=1)
        assert (await client.get("/readyz")).status_code == 503


async def test_pooler_requires_a_direct_connection(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="JOBS_DATABASE_URL must be set to a direct connection"):
        connection_options(with_job_database(settings, None, "pgbouncer"))

    direct = with_job_database(settings, url_from(settings), "pgbouncer")
    await check_notifications(connection_options(direct))


def test_invalid_url_is_reported_by_its_name(settings: Settings) -> None:
    wrong = with_job_database(settings, "mysql://me:secret@localhost/name", "none")
    with pytest.raises(SettingsError, match=r"^JOBS_DATABASE_URL: unsupported scheme"):
        connection_options(wrong)


async def test_missing_notifications_are_reported(
    settings: Settings, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await create_database(server)
    databases = iter([None, other])

    async def connect_to_different_databases(**options: Any) -> asyncpg.Connection:
        # Notifications do not leave a database, as they do not pass through a pooler.
        return await connect(**options | {"database": next(databases) or options["database"]})

    monkeypatch.setattr(connection, "connect", connect_to_different_databases)
    monkeypatch.setattr(connection, "_NOTIFICATION_TIMEOUT", 0.2)
    with pytest.raises(SettingsError, match="notifications"):
        await check_notifications(connection_options(settings))
    await drop_database(server, other)


async def test_unavailable_server_is_not_reported(settings: Settings) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/name"
    options = connection_options(with_job_database(settings, url, "none"))
    await check_notifications(options)
