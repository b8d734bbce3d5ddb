"""Graceful shutdown: fail readiness, drain, then stop.

A load balancer sends requests until it has noticed that `/readyz` fails, but uvicorn closes its
port as soon as it receives SIGTERM. So `graceful_shutdown` puts its own handler in front of
uvicorn's:

1. SIGTERM: readiness fails, and the process serves requests as before for `SHUTDOWN_DELAY`.
2. After the delay, uvicorn's handler runs: no new connections, and open requests may finish.
3. uvicorn cancels the requests that are still open when its timeout expires.
4. The lifespan ends, which closes the database pool.

Steps 2 to 4 take at most `SHUTDOWN_TIMEOUT`.
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

#: Seconds of `SHUTDOWN_TIMEOUT` reserved for step 4: closing the pool and the connection of the
#: readiness check.
CLOSE_TIMEOUT = 4


@contextmanager
def graceful_shutdown(settings: ServiceSettings, on_drain: Callable[[], None]) -> Iterator[None]:
    """Call `on_drain` at SIGTERM and delay uvicorn's own handler by `SHUTDOWN_DELAY`.

    Does nothing unless uvicorn handles SIGTERM, for example in a test.
    """
    uvicorn_handler = signal.getsignal(signal.SIGTERM)
    # The handler is a method of the server, which is not accessible in any other way.
    server = getattr(uvicorn_handler, "__self__", None)
    is_main_thread = threading.current_thread() is threading.main_thread()
    if not (is_main_thread and callable(uvicorn_handler) and isinstance(server, uvicorn.Server)):
        yield
        return

    # uvicorn takes whole seconds, and 0 would cancel the requests at once.
    server.config.timeout_graceful_shutdown = max(1, int(settings.shutdown_timeout) - CLOSE_TIMEOUT)
    loop = asyncio.get_running_loop()

    def start_drain(signum: int, frame: FrameType | None) -> None:
        on_drain()
        # A second SIGTERM ends the drain.
        signal.signal(signal.SIGTERM, uvicorn_handler)
        loop.call_later(settings.shutdown_delay, uvicorn_handler, signum, frame)

    def handle_sigterm(signum: int, frame: FrameType | None) -> None:
        # The signal may interrupt a request. In an empty context, the log lines of the shutdown
        # do not carry the ID of that request.
        loop.call_soon_threadsafe(start_drain, signum, frame, context=Context())

    signal.signal(signal.SIGTERM, handle_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, uvicorn_handler)
