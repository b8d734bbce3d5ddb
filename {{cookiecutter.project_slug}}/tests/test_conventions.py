"""Rules of this code base that no linter knows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from inspect import isasyncgenfunction, iscoroutinefunction, isroutine
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

import app.db.models  # noqa: F401 - fills the metadata
from app.api.router import find_routers
from app.db import metadata
from tests.environment import setting_names
from tests.servers import ROOT

ROUTES = [route for router in find_routers() for route in router.routes]

IMPORT_EVERYTHING = """
import socket, pkgutil, importlib, app
socket.socket.connect = None
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
"""


def dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for below in dependant.dependencies:
        yield from dependants(below)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_nothing_in_a_request_needs_a_thread(route: APIRoute) -> None:
    for dependant in dependants(route.dependant):
        call: Any = dependant.call
        if not isroutine(call):
            call = call.__call__
        assert iscoroutinefunction(call) or isasyncgenfunction(call), call


def test_defaults_come_from_the_server() -> None:
    columns = [column for table in metadata.tables.values() for column in table.columns]
    assert [column for column in columns if column.default or column.onupdate] == []


def test_importing_does_nothing() -> None:
    # Every setting has a value that none could have, and every warning is an error.
    environment = {**os.environ, **dict.fromkeys(setting_names(), "[nonsense")}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EVERYTHING],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
