"""Where tests go, and the PostgreSQL server that all tests share.

- `tests/test_<subject>.py`: tests, also of a new resource (`tests/test_<resource>.py`).
- `tests/fixtures.py`: the fixtures, such as `client` and `database`.
- The other modules in `tests/` are helpers.

A run has one server, also if pytest-xdist distributes it to several worker processes: the main
process creates the data directory and passes it to the workers. The name of that directory is also
the name of the migrated database from which every worker's database is copied.
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
    drop_from_given_server,
    folder_in_memory,
    remove_abandoned_servers,
    running_server,
)

DATA_DIR = pytest.StashKey[Path]()
PROCESS_COUNT = pytest.StashKey[int]()
CLEANUP = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Create the data directory, or take it from the main process in a worker of pytest-xdist."""
    worker_input = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[DATA_DIR] = Path(worker_input["data_dir"])
        config.stash[PROCESS_COUNT] = worker_input["workercount"]
        return
    # Handle SIGTERM like Ctrl-C, so that the server is stopped.
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
    cleanup.callback(drop_from_given_server, config.stash[DATA_DIR].name)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the data directory to a worker of pytest-xdist."""
    config: pytest.Config = node.config
    node.workerinput["data_dir"] = str(config.stash[DATA_DIR])


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None]:
    """Start the server while the workers load the fixtures; without workers, load the fixtures."""
    yield
    config = session.config
    if config.pluginmanager.has_plugin("dsession"):
        server = running_server(config.stash[DATA_DIR], config.stash[PROCESS_COUNT])
        config.stash[CLEANUP].enter_context(server)
    else:
        # Not imported above: the service takes a second to import, and the main process of
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
