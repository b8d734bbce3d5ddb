"""Graceful shutdown: fail readiness, drain, then stop.

A load balancer sends requests until it has noticed that `/readyz` fails, but uvicorn closes its
port as soon as it receives SIGTERM. So `graceful_shutdown` replaces uvicorn's handler of SIGTERM
while the application runs:

1. SIGTERM starts the drain: `/readyz` fails, and the process serves requests as before for
   `SHUTDOWN_DELAY`. A second SIGTERM ends the drain.
2. After the drain, uvicorn's handler runs: no new connections, and open requests may finish.
3. When uvicorn's timeout expires, it cancels the requests that are still open.
4. The lifespan of the application ends, which closes the database pools.

Steps 2 to 4 take at most `SHUTDOWN_TIMEOUT`, or 5 seconds if it is shorter. SIGINT (Ctrl-C) is left
to uvicorn: no drain, because no load balancer sends requests to a process at a terminal.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import FrameType

import uvicorn

from app.settings import ServiceSettings

# Seconds of `SHUTDOWN_TIMEOUT` reserved for step 4: up to 2 s for the pool of the requests, and 2 s
# for that of the readiness check.
_CLOSE_TIMEOUT = 4


@contextmanager
def graceful_shutdown(settings: ServiceSettings, on_drain: Callable[[], None]) -> Iterator[None]:
    """At SIGTERM, call `on_drain` and delay uvicorn's own handler by `SHUTDOWN_DELAY`.

    Does nothing if uvicorn does not handle SIGTERM, as in tests.
    """
    uvicorn_handler = signal.getsignal(signal.SIGTERM)
    # The handler is a method of the running `uvicorn.Server`, which is not accessible in any other
    # way. `tests/test_shutdown.py` fails if a version of uvicorn changes that.
    server = getattr(uvicorn_handler, "__self__", None)
    is_main_thread = threading.current_thread() is threading.main_thread()
    if not (is_main_thread and callable(uvicorn_handler) and isinstance(server, uvicorn.Server)):
        yield
        return

    # In whole seconds, and at least 1: with 0, uvicorn would cancel all requests immediately.
    request_timeout = max(1, int(settings.shutdown_timeout) - _CLOSE_TIMEOUT)
    server.config.timeout_graceful_shutdown = request_timeout
    loop = asyncio.get_running_loop()

    def start_drain(signum: int, frame: FrameType | None) -> None:
        # Before `on_drain`, so that the process stops even if that raises an exception. After a
        # second SIGTERM, this call is harmless: uvicorn is already stopping.
        loop.call_later(settings.shutdown_delay, uvicorn_handler, signum, frame)
        signal.signal(signal.SIGTERM, uvicorn_handler)
        on_drain()

    def handle_sigterm(signum: int, frame: FrameType | None) -> None:
        # A signal handler runs between any two instructions, so it only schedules the drain; the
        # thread-safe call also wakes up an idle event loop. In an empty context, the log lines of
        # the drain do not have the ID of the interrupted request.
        loop.call_soon_threadsafe(start_drain, signum, frame, context=Context())

    signal.signal(signal.SIGTERM, handle_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, uvicorn_handler)
