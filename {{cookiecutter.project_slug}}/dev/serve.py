"""The command of `make run`: migrate and serve until Ctrl-C, SIGTERM or the end of the terminal.

This process runs the embedded server and watches `app/`; child processes run the service. Modules
that take long to import are imported in functions, when the signal handlers are in place.
"""

import os
import signal
import socket
import sys
from multiprocessing import get_context

from dev import DevelopmentError, received_signals

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


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
    """Serve until a signal is received, and restart the service after each change in `app/`.

    If the service ends after a change, the next change starts it again. Raises `DevelopmentError`
    if it ends before the first change, and `SettingsError` for invalid settings.
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
        # Yields an empty set every 200 ms, so that the loop can check for signals.
        watcher = watch("app", watch_filter=PythonFilter(), rust_timeout=200, yield_on_timeout=True)
        is_first = True
        while not received_signals:
            process = get_context("spawn").Process(target=serve, args=(listener, hints, is_first))
            process.start()
            try:
                for changes in watcher:
                    if changes or received_signals:
                        break
                    if is_first and not process.is_alive():
                        raise DevelopmentError("The service did not start, see above.")
            finally:
                process.terminate()
                process.join(5)
                # If a blocking call keeps the process from handling SIGTERM.
                process.kill()
                process.join()
            is_first = False


def serve(listener: socket.socket, hints: list[str], migrate: bool) -> None:
    """Serve on a listening socket, and print `hints` when the service is ready."""
    # Ctrl-C reaches all processes of a terminal, but the parent stops this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import uvicorn
    from alembic.config import main as alembic

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(*hints, sep="\n", flush=True)

    if migrate:
        alembic(["upgrade", "head"])
    # A connection that a browser keeps open must not delay the next process.
    os.environ |= {"SHUTDOWN_DELAY": "0", "SHUTDOWN_TIMEOUT": "3"}
    Server(uvicorn.Config("app.main:create_app", factory=True, access_log=False)).run([listener])


if __name__ == "__main__":
    sys.exit(main())
