"""An embedded PostgreSQL 18, for `make run` and the tests: no installation, no container.

Of the package that brings the programs, nothing else is used: its `get_server` takes a reused
process id for a running server, counts its users in a file that outlives killed processes, and
adds an account to the system when root calls it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fasteners

from dev import DevelopmentError
from dev.cluster import Cluster
from dev.windows import WindowsCluster


@contextmanager
def embedded_postgres(
    folder: Path, *, checkpoint: Callable[[], None] = lambda: None, **options: str
) -> Iterator[str]:
    """Yield the address of a server whose data is in `folder`, for its superuser `postgres`.

    Keyword arguments are server options, such as `fsync="off"`. Processes may share a folder:
    the first one starts the server, the last one stops it; a server whose users were all killed
    is taken over by the next one. Raises `DevelopmentError`, and what `checkpoint` raises while
    the server starts.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        # What libpq, asyncpg and the server take by default: meant for another server.
        del os.environ[name]
    folder = folder.resolve()
    cluster = _cluster(folder)
    # The kernel drops a lock together with the process that holds it: none is ever stale.
    gate = fasteners.InterProcessLock(folder / "gate")
    users = fasteners.InterProcessReaderWriterLock(folder / "users")
    try:
        with users.read_lock():
            with gate:
                cluster.initialise(checkpoint, is_durable=options.get("fsync") != "off")
                cluster.start(checkpoint, [f"-c{name}={value}" for name, value in options.items()])
            yield cluster.address()
    finally:
        with gate:
            if users.acquire_write_lock(blocking=False):
                cluster.stop()
                users.release_write_lock()
            else:
                # The lock in vain has left it open.
                users.lockfile.close()


def remove_abandoned(folder: Path) -> None:
    """Remove the data of a server whose users were all killed, and stop it if it runs.

    Does nothing if `folder` is not the data of a server, or is in use.
    """
    # Without this file, the first user may be about to take the lock.
    if not (folder / "gate").exists():
        return
    folder = folder.resolve()
    users = fasteners.InterProcessReaderWriterLock(folder / "users")
    if not users.acquire_write_lock(blocking=False):
        users.lockfile.close()
        return
    try:
        cluster = _cluster(folder)
        if (folder / "18").exists():
            # A server that was killed itself has left shared memory, which its successor frees.
            with suppress(DevelopmentError):
                cluster.start(lambda: None, [])
            cluster.stop()
    except DevelopmentError:
        return
    finally:
        users.release_write_lock()
    shutil.rmtree(folder, ignore_errors=True)


def _cluster(folder: Path) -> Cluster:
    return WindowsCluster(folder) if os.name == "nt" else Cluster(folder)
