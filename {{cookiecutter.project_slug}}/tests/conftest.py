"""Where tests go, and the PostgreSQL server that all tests share.

- `tests/test_<subject>.py`: tests. Those of a new resource go to `tests/test_<resource>.py`.
- `tests/fixtures.py`: the fixtures, such as `client` and `database`.
- The other modules in `tests/` are helpers.

A run has one server, even if pytest-xdist distributes the tests to several worker processes: the
main process creates the data directory and passes its path to the workers. The name of that
directory is also the name of the migrated database from which each worker's database is copied.
"""

import signal
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import (
    FOLDER_PREFIX,
    drop_from_configured_server,
    folder_in_memory,
    remove_abandoned_servers,
    running_server,
)

DATA_DIR = pytest.StashKey[Path]()
PROCESS_COUNT = pytest.StashKey[int]()
CLEANUP = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Create the data directory. A worker of pytest-xdist takes it from the main process."""
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[DATA_DIR] = Path(worker_input["data_dir"])
        config.stash[PROCESS_COUNT] = worker_input["workercount"]
        return
    # SIGTERM, like Ctrl-C, raises KeyboardInterrupt, so that pytest stops the server.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cleanup = config.stash[CLEANUP] = ExitStack()
    parent = folder_in_memory() or Path(tempfile.gettempdir())
    remove_abandoned_servers(parent)
    # On Windows, a virus scanner may hold a file open; the next run removes the rest.
    data_dir = tempfile.TemporaryDirectory(
        prefix=FOLDER_PREFIX, dir=parent, ignore_cleanup_errors=True
    )
    # One process per worker of pytest-xdist.
    config.stash[PROCESS_COUNT] = max(1, len(config.getoption("tx", None) or []))
    config.stash[DATA_DIR] = Path(cleanup.enter_context(data_dir))
    cleanup.callback(drop_from_configured_server, config.stash[DATA_DIR].name)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the data directory to a worker of pytest-xdist."""
    config: pytest.Config = node.config
    node.workerinput["data_dir"] = str(config.stash[DATA_DIR])


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None]:
    """Load the fixtures. The main process of pytest-xdist starts the server instead."""
    yield
    config = session.config
    if config.pluginmanager.has_plugin("dsession"):
        # While the workers load the fixtures.
        server = running_server(config.stash[DATA_DIR], config.stash[PROCESS_COUNT])
        config.stash[CLEANUP].enter_context(server)
    else:
        # Not imported at the top: importing the service takes a second, and the main process of
        # pytest-xdist does not need it.
        config.pluginmanager.import_plugin("tests.fixtures")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its data."""
    if CLEANUP in config.stash:
        config.stash[CLEANUP].close()


@pytest.fixture(scope="session")
def server_data_dir(pytestconfig: pytest.Config) -> Path:
    """Return the data directory of the server."""
    return pytestconfig.stash[DATA_DIR]


@pytest.fixture(scope="session")
def process_count(pytestconfig: pytest.Config) -> int:
    """Return the number of processes that share the server."""
    return pytestconfig.stash[PROCESS_COUNT]
