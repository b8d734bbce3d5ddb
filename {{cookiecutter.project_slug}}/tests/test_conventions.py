"""Rules of this code base that no linter knows."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import isasyncgenfunction, iscoroutinefunction, isroutine
from typing import Any, get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import DateTime, Enum

import app.db.models  # noqa: F401 - fills the metadata
from app.api.router import discover_routers
from app.db import metadata
from tests.databases import ROOT
from tests.service_settings import setting_names

ROUTES = [route for router in discover_routers() for route in router.routes]
COLUMNS = [column for table in metadata.tables.values() for column in table.columns]

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


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_is_answered_has_a_model(route: APIRoute) -> None:
    # Without one, pydantic looks at every value to find out how to write it.
    shown = get_args(route.response_model) or (route.response_model,)
    if route.status_code != 204:
        assert all(isinstance(it, type) and issubclass(it, BaseModel) for it in shown)


def test_defaults_come_from_the_server() -> None:
    assert [column for column in COLUMNS if column.default or column.onupdate] == []


def test_a_moment_has_a_time_zone() -> None:
    # Without, PostgreSQL and Python each take their own for it.
    moments = [column.type for column in COLUMNS if isinstance(column.type, DateTime)]
    assert all(moment.timezone for moment in moments)


def test_no_type_of_the_server_lists_values() -> None:
    # It outlives its table, so that a migration cannot be repeated; use text and a CHECK.
    enums = [column.type for column in COLUMNS if isinstance(column.type, Enum)]
    assert not any(enum.native_enum for enum in enums)


def test_no_statement_changes_its_connection() -> None:
    # The next request has the same one: only SET LOCAL, and locks that end with the transaction.
    lasting = re.compile(r"[\"']SET (?!LOCAL)|pg_(try_)?advisory_(lock|unlock)|[\"']LISTEN |TEMP")
    assert [
        path
        for path in (ROOT / "app").rglob("*.py")
        # What it sets, every connection has from its beginning.
        if path != ROOT / "app" / "db" / "connection.py" and lasting.search(path.read_text("utf-8"))
    ] == []


@pytest.mark.slow
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
