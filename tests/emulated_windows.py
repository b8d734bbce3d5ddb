"""A pytest plugin that removes names that Python lacks on Windows, before collection.

It emulates names, not behavior: an import that fails here also fails on Windows.
"""

import ast
import asyncio
import importlib
import os
import select
import signal
import socket
import socketserver
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

MODULES = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
NAMES = {
    asyncio: "open_unix_connection start_unix_server",
    os: "chown fork forkpty getegid geteuid getgid getloadavg getpgid getpgrp getuid initgroups"
    " killpg mkfifo nice openpty sched_getaffinity setgid setgroups setpgid"
    " setsid setuid sysconf uname wait3 wait4",
    select: "epoll kqueue poll",
    signal: "SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2"
    " alarm pause pthread_sigmask setitimer",
    socket: "AF_UNIX SO_REUSEPORT",
    socketserver: "ForkingTCPServer UnixDatagramServer UnixStreamServer",
}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Import the packages that the sources need, then remove the names."""
    for folder in early_config.known_args_namespace.file_or_dir:
        for path in Path(folder).rglob("*.py"):
            for name in imported_modules(path):
                if is_foreign(name.partition(".")[0]):
                    # Some only exist on Windows.
                    with suppress(ImportError):
                        importlib.import_module(name)
    sys.modules |= dict.fromkeys(MODULES)  # type: ignore[arg-type] # `None` fails the import.
    for module, names in NAMES.items():
        for name in names.split():
            vars(module).pop(name, None)
    sys.platform = "win32"


def imported_modules(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def is_foreign(package: str) -> bool:
    """Return whether a package is from the standard library or installed."""
    spec = None if package in sys.stdlib_module_names else find_spec(package)
    return spec is None or "site-packages" in str(spec.origin)
