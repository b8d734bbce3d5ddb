"""The PostgreSQL server of the tests: the one in `TEST_DATABASE_URL`, or an embedded one."""

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

#: Prefix of the databases that tests create. Tests drop no other databases.
DATABASE_PREFIX = "test_"
#: Prefix of the data folders of embedded servers.
FOLDER_PREFIX = f"{DATABASE_PREFIX}postgres_"
#: A test process has a few pools of up to 15 connections.
CONNECTIONS_PER_PROCESS = 30


@contextmanager
def running_server(folder: Path, processes: int = 1) -> Iterator[str]:
    """Yield the URL of a server that all processes of a test run share.

    An embedded server has its data in `folder`. `DATABASE_URL` is ignored, because the data in that
    database must not be changed.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    connections = str(max(100, CONNECTIONS_PER_PROCESS * processes))
    # The data is temporary, so it does not have to be written to disk.
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
            # A folder without this file may belong to a run that is about to start its server.
            if (folder / "start.lock").exists() and EmbeddedServer(folder).stop_if_unused():
                shutil.rmtree(folder, ignore_errors=True)
            if time.time() - folder.stat().st_mtime > 60:
                # After a minute, an empty folder is left over from a killed run.
                folder.rmdir()


def drop_from_configured_server(name: str) -> None:
    """Drop a database from the server in `TEST_DATABASE_URL`, if that is set.

    This server, unlike an embedded one, continues to run after the tests.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        # Not imported at the top: an embedded server does not need the driver here.
        from tests.databases import drop_database

        asyncio.run(drop_database(url, name))


def folder_in_memory() -> Path | None:
    """Return `/dev/shm` if it is large enough, or None.

    In memory, a database is created in a tenth of the time. In a container, `/dev/shm` often has
    only 64 MB, which is too small for a server.
    """
    folder = Path("/dev/shm")  # noqa: S108 - only unique names are created in it
    is_large = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30
    return folder if is_large else None
