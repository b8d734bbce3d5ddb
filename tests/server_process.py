"""Servers started by a command, such as `make run` or `make demo`, and stopped by a signal.

Also finds the processes that such a command has left running.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
from conftest import clean_environment

# What `make run` prints when the service responds: its URL, and the URL of the database.
READY = re.compile(r"^Ready: (\S+)\n.*?(postgresql://\S+)", re.MULTILINE | re.DOTALL)
# Ignores proxy settings of the machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def find_processes(folder: Path) -> set[int]:
    """Return the processes with `folder` in their command line, and all of their descendants."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    found = {int(pid) for pid, _, arguments in rows if str(folder) in arguments}
    while children := {int(pid) for pid, parent, _ in rows if int(parent) in found} - found:
        found |= children
    return found


def remaining_processes(folder: Path) -> set[int]:
    """Return the processes of `folder` that are still running after up to five seconds."""
    deadline = time.monotonic() + 5
    while (found := find_processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send SIGINT to the process group, as Ctrl-C does; on Windows, kill the processes."""
    if sys.platform == "win32":
        # Ctrl-C would reach every process of the console, including this one.
        root = psutil.Process(process.pid)
        for child in [*root.children(recursive=True), root]:
            child.kill()
    else:
        os.killpg(process.pid, signal.SIGINT)


@dataclass
class ServerProcess:
    """A server that has printed `Ready:`."""

    process: subprocess.Popen[str]
    base_url: str
    database: str

    @property
    def socket_folder(self) -> Path:
        return Path(parse_qs(urlsplit(self.database).query)["host"][0])

    def request(
        self, method: str, path: str, body: object = None, **sent: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Send a request; return the status, the JSON body, and the headers in lower case.

        `sent` are more request headers.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **sent} if data else sent
        request = urllib.request.Request(self.base_url + path, data, headers, method=method)
        try:
            response = OPENER.open(request, timeout=10)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            text = response.read()
            headers = {name.lower(): value for name, value in response.headers.items()}
            return response.status, json.loads(text) if text else None, headers

    def interrupt(self) -> int:
        """Stop the server as Ctrl-C does, and return the exit status."""
        interrupt(self.process)
        return self.process.wait(timeout=15)

    def terminate(self) -> int:
        """Stop the server with SIGTERM, as a service manager does, and return the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=15)


@contextmanager
def run_server(command: Sequence[str], folder: Path, **variables: str) -> Iterator[ServerProcess]:
    """Run a command in its own process group until the block ends; yield when it is ready."""
    variables.setdefault("PORT", str(free_port()))
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=clean_environment(variables),
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    seen = ""
    try:
        for line in process.stdout or ():
            seen += line
            if found := READY.search(seen):
                yield ServerProcess(process, found[1], found[2])
                return
        raise AssertionError(f"exit {process.wait()} before the server was ready\n{seen}")
    finally:
        if process.poll() is None:
            interrupt(process)
            process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()
