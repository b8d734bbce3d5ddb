"""The PostgreSQL server of the tests."""

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

#: The tests drop databases whose names begin so, and no others.
PREFIX = "test_"
#: The folders of embedded servers.
FOLDER_PREFIX = f"{PREFIX}postgres_"
#: Each process of a run has a few pools, with at most 15 connections each.
CONNECTIONS = 30


@contextmanager
def running_server(folder: Path, processes: int = 1) -> Iterator[str]:
    """The address of a server: `TEST_DATABASE_URL`, else an embedded one with its data here.

    All processes of a run share it. `DATABASE_URL` is never looked at: it may hold data that
    somebody needs.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    connections = str(max(100, CONNECTIONS * processes))
    # The data is thrown away, so nothing need reach the disk.
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
    """Remove the servers of runs that were killed, and what is left of their folders."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            if sys.platform != "win32" and folder.stat().st_uid != os.geteuid():
                continue
            # Before this file exists, a run may be about to start its server here.
            if (folder / "start.lock").exists() and EmbeddedServer(folder).stop_if_unused():
                shutil.rmtree(folder, ignore_errors=True)
            if time.time() - folder.stat().st_mtime > 60:
                # Killed before there was a server in it, if it is empty.
                folder.rmdir()


def drop_from_given_server(name: str) -> None:
    """Remove a database of the tests from a server that outlives the run, if that is in use."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        # A process that only hands tests out needs a driver for nothing else.
        from tests.databases import drop_database

        asyncio.run(drop_database(given, name))


def folder_in_memory() -> Path | None:
    """Where a database is made in a tenth of the time, on systems that have such a folder.

    That of a container has 64 MB, too little for a server.
    """
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it has a name of its own
    is_large = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30
    return folder if is_large else None
