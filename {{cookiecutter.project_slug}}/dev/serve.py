"""The command of `make run`: migrate and serve until Ctrl-C, SIGTERM or the end of the terminal.

This process runs the embedded server and watches `app/`; child processes run the service and the
modules of `dev.processes`. Modules that take long to import are imported in functions, when the
signal handlers are in place.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pkgutil import iter_modules
from time import monotonic
from types import ModuleType

from dev import DevelopmentError, processes, received_signals

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
SERVICE = "service"
# Seconds until child processes that handle no SIGTERM are killed.
STOP_TIMEOUT = 5


def main() -> int:
    """Serve until a signal is received, and return the exit status."""
    for number in SIGNALS:
        # `nohup` ignores SIGHUP, which stays ignored. A shell ignores SIGINT for background jobs.
        if number.name != "SIGHUP" or signal.getsignal(number) != signal.SIG_IGN:
            # Only recorded, since an exception could interrupt the start of a process at any line.
            signal.signal(number, lambda number, _: received_signals.append(number))
    try:
        run()
    except DevelopmentError as error:
        if not received_signals:
            print(error, file=sys.stderr)
            return 1
    finally:
        # All processes have stopped. A second Ctrl-C must not change the exit status.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    return 0


def run() -> None:
    """Serve until a signal is received, and restart all processes after each change in `app/`.

    A process that ends is reported, and the next change starts it again. Raises `DevelopmentError`
    if the service ends before the first change, and `SettingsError` for invalid settings.
    """
    from watchfiles import PythonFilter, watch

    from app.settings import load_settings
    from app.settings_base import load_group
    from dev.settings import ListenSettings, development_database, open_listener

    listen = load_group(ListenSettings)
    with open_listener(listen) as listener, development_database() as database:
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        url = f"http://{host}:{listener.getsockname()[1]}"
        hints = [f"Ready: {url}", f"Database: {database}"]
        hints += [f"Docs: {url}/docs"] if load_settings().service.serves_docs else []
        for name in process_names():
            hints += import_process(name).announce(url)
        # Yields an empty set every 200 ms, so that the loop can check for signals.
        watcher = watch("app", watch_filter=PythonFilter(), rust_timeout=200, yield_on_timeout=True)
        is_first = True
        while not received_signals:
            children = Children()
            children.start(SERVICE, serve, listener, hints, is_first, children.is_ready)
            try:
                for changes in watcher:
                    if changes or received_signals:
                        break
                    children.check(is_first)
            finally:
                children.stop()
            is_first = False


class Children:
    """The processes of one version of the code."""

    def __init__(self) -> None:
        self._context = get_context("spawn")
        self._running: dict[str, SpawnProcess] = {}
        #: Set when the service responds. The other processes start then, after the migrations.
        self.is_ready = self._context.Event()
        self._others = process_names()

    def start(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        """Run a function in a process."""
        self._running[name] = self._context.Process(target=target, args=arguments)
        self._running[name].start()

    def check(self, is_first: bool) -> None:
        """Start the other processes if the service is ready, and report those that have ended.

        With `is_first`, raises `DevelopmentError` if the service has ended.
        """
        if self.is_ready.is_set():
            while self._others:
                name = self._others.pop()
                self.start(name, run_process, name)
        for name in [name for name, process in self._running.items() if not process.is_alive()]:
            del self._running[name]
            has_ended = "has ended" if self.is_ready.is_set() else "did not start"
            message = f"The {name} {has_ended}, see above."
            if is_first and name == SERVICE:
                raise DevelopmentError(message)
            print(f"{message} It starts again when a file in app/ changes.", file=sys.stderr)

    def stop(self) -> None:
        """Stop all processes."""
        for process in self._running.values():
            process.terminate()
        deadline = monotonic() + STOP_TIMEOUT
        for process in self._running.values():
            process.join(max(0, deadline - monotonic()))
            # If a blocking call keeps the process from handling SIGTERM.
            process.kill()
            process.join()


def prepare() -> None:
    """Change the process in which this is called to one that only its parent stops."""
    # Ctrl-C reaches all processes of a terminal, but the parent stops this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A connection that a browser keeps open must not delay the next process.
    os.environ |= {"SHUTDOWN_DELAY": "0", "SHUTDOWN_TIMEOUT": "3"}


def process_names() -> list[str]:
    """Return the names of the modules of `dev.processes`."""
    return [module.name for module in iter_modules(processes.__path__)]


def import_process(name: str) -> ModuleType:
    """Return a module of `dev.processes`."""
    return import_module(f"{processes.__name__}.{name}")


def run_process(name: str) -> None:
    """Run a module of `dev.processes`."""
    prepare()
    import_process(name).run()


def serve(listener: socket.socket, hints: list[str], migrate: bool, is_ready: Event) -> None:
    """Serve on a listening socket. When the service is ready, print `hints` and set `is_ready`."""
    prepare()
    import uvicorn
    from alembic.config import main as alembic

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(*hints, sep="\n", flush=True)
            is_ready.set()

    if migrate:
        alembic(["upgrade", "head"])
    Server(uvicorn.Config("app.main:create_app", factory=True, access_log=False)).run([listener])


if __name__ == "__main__":
    sys.exit(main())
