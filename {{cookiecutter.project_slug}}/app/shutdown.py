"""A stop in steps: not ready but serving, then no new connections, then the end.

The server closes its port at once when it is told to stop (SIGTERM), while a load balancer still
sends it requests. So the signal is held back until the balancer has seen `/readyz` say no.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

import uvicorn

from app.settings import ServiceSettings

#: Seconds, of those for the stop, that are left for closing the pool and the readiness check's
#: connection.
CLOSE_TIMEOUT = 4


@contextmanager
def graceful_shutdown(settings: ServiceSettings, on_stop: Callable[[], None]) -> Iterator[None]:
    """Call `on_stop` at SIGTERM, and hand the signal to the server `SHUTDOWN_DELAY` later.

    Does nothing where no uvicorn server waits for the signal, as in a test.
    """
    stop = signal.getsignal(signal.SIGTERM)
    server = getattr(stop, "__self__", None)
    is_main = threading.current_thread() is threading.main_thread()
    if not (is_main and callable(stop) and isinstance(server, uvicorn.Server)):
        yield
        return

    graceful = max(1, int(settings.shutdown_timeout) - CLOSE_TIMEOUT)
    server.config.timeout_graceful_shutdown = graceful
    loop = asyncio.get_running_loop()

    def begin(signum: int, frame: Any) -> None:
        on_stop()
        signal.signal(signal.SIGTERM, stop)
        loop.call_later(settings.shutdown_delay, stop, signum, frame)

    def on_signal(signum: int, frame: Any) -> None:
        # It may interrupt a request, whose id is none of the stop's.
        loop.call_soon_threadsafe(begin, signum, frame, context=Context())

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, stop)
