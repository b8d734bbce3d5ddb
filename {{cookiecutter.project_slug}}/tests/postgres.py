"""The PostgreSQL server of the tests: that of `TEST_DATABASE_URL`, or an embedded one."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from dev import DevelopmentError
from dev.embedded_server import EmbeddedServer, embedded_postgres

#: Prefix of the databases that tests create. They drop no others.
PREFIX = "test_"
#: Prefix of the data folders of embedded servers.
FOLDER_PREFIX = f"{PREFIX}postgres_"
#: Connections per test process, which has a few pools of up to 15 connections.
CONNECTIONS = 30


@contextmanager
def running_server(folder: Path, processes: int = 1) -> Iterator[str]:
    """Yield the URL of a server that all processes of a test run share.

    An embedded server has its data in `folder`. `DATABASE_URL` is ignored, since the data in that
    database may be needed.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    connections = str(max(100, CONNECTIONS * processes))
    # The data is temporary and need not reach the disk.
    embedded = embedded_postgres(
        folder, fsync="off", synchronous_commit="off", max_connections=connections
    )
    with ExitStack() as stack:
        try:
            server = stack.enter_context(embedded)
        except DevelopmentError as error:
            pytest.exit(str(error), returncode=1)
        yield server


def remove_abandoned_servers(parent: Path) -> None:
    """Stop the servers of killed test runs and remove their folders."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            if sys.platform != "win32" and folder.stat().st_uid != os.geteuid():
                continue
            # Before this file exists, a run may be about to start its server here.
            if (folder / "start.lock").exists() and EmbeddedServer(folder).stop_if_unused():
                shutil.rmtree(folder, ignore_errors=True)
            if time.time() - folder.stat().st_mtime > 60:
                # An empty folder is left by a run that was killed before its server started.
                folder.rmdir()


def drop_from_given_server(name: str) -> None:
    """Drop a database from the server of `TEST_DATABASE_URL`, if set, which outlives the run."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        # Imported here: the controller of pytest-xdist does not need the driver otherwise.
        from tests.databases import drop_database

        asyncio.run(drop_database(url, name))


def folder_in_memory() -> Path | None:
    """Return `/dev/shm`, where a database is created in a tenth of the time, if it is large enough.

    In a container it has 64 MB, too little for a server.
    """
    folder = Path("/dev/shm")  # noqa: S108 - only unique names are created in it
    is_large = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30
    return folder if is_large else None
