"""Graceful shutdown: fail readiness, drain, then stop.

A load balancer sends requests until it has noticed that `/readyz` fails, but uvicorn closes its
port as soon as it receives SIGTERM. Therefore `graceful_shutdown` replaces uvicorn's SIGTERM
handler while the application runs:

1. On SIGTERM, the drain starts: `/readyz` fails, and the process serves requests as before for
   `SHUTDOWN_DELAY`. A second SIGTERM ends the drain early.
2. After the drain, uvicorn's SIGTERM handler runs. uvicorn accepts no new connections, and open
   requests may finish.
3. When uvicorn's timeout expires, uvicorn cancels the requests that are still open.
4. The lifespan of the application ends, which stops the components and closes the database pools.

Steps 2 to 4 together take at most `SHUTDOWN_TIMEOUT`: up to 2 s for stopping the components, up to
4 s for closing the pools, and the rest, but at least 1 s, for requests. With a `SHUTDOWN_TIMEOUT`
below 7 s, the shutdown may take 7 s.

uvicorn handles SIGINT (Ctrl-C) as before, without a drain, because no load balancer sends requests
to a process at a terminal.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import FrameType

import uvicorn

from app.components import STOP_TIMEOUT
from app.settings import ServiceSettings

logger = logging.getLogger(__name__)

SignalHandler = Callable[[int, FrameType | None], object]

# Seconds of `SHUTDOWN_TIMEOUT` reserved for step 4: for the components, up to 2 s for the pool of
# the requests, and up to 2 s for the pool of the readiness check.
_CLOSE_RESERVE = STOP_TIMEOUT + 4


@contextmanager
def graceful_shutdown(settings: ServiceSettings, on_drain: Callable[[], None]) -> Iterator[None]:
    """On SIGTERM, call `on_drain` and delay uvicorn's SIGTERM handler by `SHUTDOWN_DELAY`.

    `on_drain` must be idempotent, because two SIGTERMs in quick succession may call it twice:
    both calls may be scheduled before the first runs.

    Replaces uvicorn's `--timeout-graceful-shutdown` with a value computed from `SHUTDOWN_TIMEOUT`.

    Changes nothing if uvicorn does not handle SIGTERM, as in tests or with another ASGI server. The
    process then has no drain.
    """
    server_and_handler = _find_running_server()
    if server_and_handler is None:
        logger.debug("uvicorn does not handle SIGTERM, so SHUTDOWN_DELAY has no effect")
        yield
        return

    server, uvicorn_handler = server_and_handler
    # uvicorn reads this setting when it stops, so it can still be changed here. Whole seconds,
    # rounded down, and at least 1: with 0, uvicorn would cancel all requests at once.
    request_timeout = max(1, int(settings.shutdown_timeout) - _CLOSE_RESERVE)
    server.config.timeout_graceful_shutdown = request_timeout
    loop = asyncio.get_running_loop()

    def start_drain(signum: int, frame: FrameType | None) -> None:
        # Before `on_drain`, so that the process stops even if that raises.
        loop.call_later(settings.shutdown_delay, uvicorn_handler, signum, frame)
        # A second SIGTERM ends the drain early. The timer still fires, but uvicorn ignores a
        # repeated SIGTERM while it stops.
        signal.signal(signal.SIGTERM, uvicorn_handler)
        on_drain()

    def handle_sigterm(signum: int, frame: FrameType | None) -> None:
        # A signal handler may interrupt any instruction, so this one only schedules the drain. The
        # thread-safe call also wakes up an idle event loop. In an empty context, the log lines of
        # the drain do not have the ID of the interrupted request.
        loop.call_soon_threadsafe(start_drain, signum, frame, context=Context())

    signal.signal(signal.SIGTERM, handle_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, uvicorn_handler)


def _find_running_server() -> tuple[uvicorn.Server, SignalHandler] | None:
    """Return the uvicorn server of this process and its SIGTERM handler, or None."""
    # Outside the main thread, uvicorn sets no handler, and `signal.signal` does not work.
    if threading.current_thread() is not threading.main_thread():
        return None
    handler = signal.getsignal(signal.SIGTERM)
    # The handler is a method of the running `uvicorn.Server`, which is not accessible in any other
    # way. `tests/test_shutdown.py` fails if a version of uvicorn changes that.
    server = getattr(handler, "__self__", None)
    if callable(handler) and isinstance(server, uvicorn.Server):
        return server, handler
    return None
