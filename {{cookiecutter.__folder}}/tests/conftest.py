"""What a run of the tests has once, in however many processes: a server, and a folder for it."""

import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers import PREFIX, drop_from_given_server, folder_in_memory, running_server

FOLDER = pytest.StashKey[Path]()
STACK = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the server's folder, whose name is also that of the database to copy."""
    given = getattr(config, "workerinput", None)
    if given is not None:
        config.stash[FOLDER] = Path(given["folder"])
        return
    stack = config.stash[STACK] = ExitStack()
    folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder_in_memory())
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
        config.stash[STACK].enter_context(running_server(config.stash[FOLDER]))
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
