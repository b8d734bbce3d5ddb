"""The worker, which runs background jobs: `python -m app.worker`.

It is an application with the same probes as the service, `/livez` and `/readyz`, so that an
orchestrator can watch it. Its lifespan runs the jobs.
"""

import asyncio
import faulthandler
import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.api.error_handlers import add_error_handlers
from app.api.routes import health
from app.components import (
    STOP_TIMEOUT,
    discover_components,
    install_components,
    running_components,
)
from app.db import Database
from app.errors import UnavailableError
from app.job_queue import JobContext
from app.job_queue.connection import check_notifications, connection_options
from app.job_queue.executor import add_log_fields
from app.job_queue.worker import STOP_RESERVE, JobWorker
from app.jobs import discover_jobs
from app.log_config import configure_logging, logged_startup_failure
from app.readiness import Readiness
from app.settings import Settings, load_settings

logger = logging.getLogger(__name__)

# Seconds for probes that are being answered.
_PROBE_TIMEOUT = 1
# Seconds of SHUTDOWN_TIMEOUT for everything but the jobs: see also `app.shutdown`.
_CLOSE_RESERVE = _PROBE_TIMEOUT + STOP_RESERVE + STOP_TIMEOUT + 4


class WorkerReadiness(Readiness):
    """Also requires that the worker takes jobs."""

    worker: JobWorker | None = None

    async def check(self) -> None:
        """Raise `UnavailableError` unless the worker takes jobs."""
        await super().check()
        if self.worker is None or not self.worker.takes_jobs:
            raise UnavailableError("The worker does not take jobs.")


@logged_startup_failure()
def create_worker(settings: Settings | None = None) -> FastAPI:
    """Create the worker from `settings`, or from the environment if it is None.

    Raises `SettingsError` if the settings are not valid.
    """
    settings = settings or load_settings()
    service = settings.service
    database = Database(settings.database)
    readiness = WorkerReadiness(settings.database)
    components = discover_components()
    jobs = discover_jobs()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(service)
        for handler in logging.getLogger().handlers:
            handler.addFilter(add_log_fields)
        # At INFO, it repeats the lines of `app.job_queue`.
        logging.getLogger("pgqueuer").setLevel(logging.WARNING)
        context = JobContext(database=database, settings=settings, state=app.state)
        worker = readiness.worker = JobWorker(jobs, context)
        async with database, readiness, running_components(components, app, settings):
            worker.start()
            _limit_shutdown(service.shutdown_timeout)
            logger.info("Running jobs: %s", ", ".join(job.job_name() for job in jobs))
            yield
            await worker.stop(max(1, service.shutdown_timeout - _CLOSE_RESERVE))

    app = FastAPI(title=service.service_name, openapi_url=None, lifespan=lifespan)
    app.state.database = database
    app.state.readiness = readiness
    install_components(components, app, settings)
    add_error_handlers(app)
    app.include_router(health.router)
    return app


def _limit_shutdown(seconds: float) -> None:
    """End the process at most `seconds` after SIGTERM, even if a handler does not end.

    A handler may block the event loop, or ignore its cancellation. Its job is repeated when its
    heartbeat has expired.
    """
    stop = signal.getsignal(signal.SIGTERM)
    # uvicorn handles signals in the main thread only.
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        return

    def handle_sigterm(signum: int, frame: FrameType | None) -> None:
        # The next SIGTERM does not extend the time.
        signal.signal(signal.SIGTERM, stop)
        faulthandler.dump_traceback_later(seconds, exit=True)
        stop(signum, frame)

    signal.signal(signal.SIGTERM, handle_sigterm)


def main(arguments: list[str] | None = None) -> None:
    """Run jobs until SIGTERM or Ctrl-C."""
    parser = ArgumentParser(prog="python -m app.worker", description="Run background jobs.")
    parser.add_argument("--host", default="127.0.0.1", help="address of the probes")
    parser.add_argument("--port", type=int, default=0, help="port of the probes; 0 is any free one")
    options = parser.parse_args(arguments)
    with logged_startup_failure():
        asyncio.run(check_notifications(connection_options(load_settings())))
    uvicorn.run(
        "app.worker:create_worker",
        factory=True,
        host=options.host,
        port=options.port,
        access_log=False,
        # Only a fixed port is worth a line in the log.
        log_level=None if options.port else "warning",
        timeout_graceful_shutdown=_PROBE_TIMEOUT,
    )


if __name__ == "__main__":
    main()
