"""Servers started by a command of this template or of a project, and stopped by a signal."""

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

READY = re.compile(r"^Ready: (\S+)\n.*?(postgresql://\S+)", re.MULTILINE | re.DOTALL)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def processes(folder: Path) -> set[int]:
    """Every process that has to do with `folder`, and what those have started."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    found = {int(pid) for pid, _, arguments in rows if str(folder) in arguments}
    while more := {int(pid) for pid, parent, _ in rows if int(parent) in found} - found:
        found |= more
    return found


def left_behind(folder: Path) -> set[int]:
    """The processes that are still there after a moment for the killed ones to go."""
    deadline = time.monotonic() + 5
    while (found := processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do what Ctrl-C does to a process group; on Windows, kill the processes."""
    if sys.platform == "win32":
        # There, Ctrl-C reaches every process of the console, this one too.
        root = psutil.Process(process.pid)
        for child in [*root.children(recursive=True), root]:
            child.kill()
    else:
        os.killpg(process.pid, signal.SIGINT)


@dataclass
class Running:
    """A server that has said `Ready:`."""

    process: subprocess.Popen[str]
    address: str
    database: str

    @property
    def socket_folder(self) -> Path:
        return Path(parse_qs(urlsplit(self.database).query)["host"][0])

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON body and headers, with lower-case names, that a request is answered by."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            response = OPENER.open(request, timeout=10)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            text = response.read()
            headers = {name.lower(): value for name, value in response.headers.items()}
            return response.status, json.loads(text) if text else None, headers

    def interrupt(self) -> int:
        """Do what Ctrl-C does, and return the exit status."""
        interrupt(self.process)
        return self.process.wait(timeout=15)

    def terminate(self) -> int:
        """Do what a service manager does, and return the exit status."""
        self.process.terminate()
        return self.process.wait(timeout=15)


@contextmanager
def running(command: Sequence[str], folder: Path, **variables: str) -> Iterator[Running]:
    """Run `command` in a process group of its own until it is ready, and at last stop it."""
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
                yield Running(process, found[1], found[2])
                return
        raise AssertionError(f"exit {process.wait()} before it was ready\n{seen}")
    finally:
        if process.poll() is None:
            interrupt(process)
            process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()
