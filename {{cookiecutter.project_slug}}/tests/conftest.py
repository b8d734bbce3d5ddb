"""What a run of the tests has once, in however many processes: a server, and a folder for it."""

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

FOLDER = pytest.StashKey[Path]()
PROCESSES = pytest.StashKey[int]()
STACK = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the server's folder, whose name is also that of the database to copy."""
    given = getattr(config, "workerinput", None)
    if given is not None:
        config.stash[FOLDER] = Path(given["folder"])
        config.stash[PROCESSES] = given["workercount"]
        return
    # As Ctrl-C, so that the server is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack = config.stash[STACK] = ExitStack()
    parent = folder_in_memory() or Path(tempfile.gettempdir())
    remove_abandoned_servers(parent)
    # On Windows, a virus scanner may have a file open; the next run removes what is left.
    folder = tempfile.TemporaryDirectory(
        prefix=FOLDER_PREFIX, dir=parent, ignore_cleanup_errors=True
    )
    # One for each worker of pytest-xdist.
    config.stash[PROCESSES] = max(1, len(config.getoption("tx", None) or []))
    config.stash[FOLDER] = Path(stack.enter_context(folder))
    stack.callback(drop_from_given_server, config.stash[FOLDER].name)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker (of pytest-xdist) where the server is."""
    config: pytest.Config = node.config
    node.workerinput["folder"] = str(config.stash[FOLDER])


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None]:
    """Load what tests need; or, while workers do that, start the server for them."""
    yield
    config = session.config
    if config.pluginmanager.has_plugin("dsession"):
        server = running_server(config.stash[FOLDER], config.stash[PROCESSES])
        config.stash[STACK].enter_context(server)
    else:
        # Not in this file, which is loaded in any case: the service takes a second to load.
        config.pluginmanager.import_plugin("tests.fixtures")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.fixture(scope="session")
def folder(pytestconfig: pytest.Config) -> Path:
    """Where the data of the server is; its name is also that of the database to copy."""
    return pytestconfig.stash[FOLDER]


@pytest.fixture(scope="session")
def processes(pytestconfig: pytest.Config) -> int:
    """How many processes share the server."""
    return pytestconfig.stash[PROCESSES]
