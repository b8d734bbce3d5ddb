"""Conventions of this project that no linter checks."""

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

# Imports every module of the service. Any attempt to connect fails.
IMPORT_EVERYTHING = """
import socket, pkgutil, importlib, app
socket.socket.connect = None
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
"""

each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)


def all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a route's dependant (FastAPI's term) and those of all its dependencies."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from all_dependants(dependency)


@each_route
def test_routes_and_dependencies_are_async(route: APIRoute) -> None:
    # FastAPI runs other functions in a thread, which takes longer than most of these functions.
    for dependant in all_dependants(route.dependant):
        call: Any = dependant.call
        if not isroutine(call):
            # An object that can be called, such as `OAuth2PasswordBearer`.
            call = call.__call__
        assert iscoroutinefunction(call) or isasyncgenfunction(call), call


@each_route
def test_responses_have_a_model(route: APIRoute) -> None:
    # Without a model, Pydantic inspects every value to find its serializer.
    models = get_args(route.response_model) or (route.response_model,)
    if route.status_code != 204:
        assert all(isinstance(model, type) and issubclass(model, BaseModel) for model in models)


def test_column_defaults_are_server_defaults() -> None:
    # An SQL expression, such as that of `updated_at`, is evaluated by the server.
    assert [column for column in COLUMNS if column.default] == []
    updates = [column.onupdate for column in COLUMNS if column.onupdate]
    assert all(update.is_clause_element for update in updates)


def test_timestamps_have_a_time_zone() -> None:
    # Otherwise PostgreSQL and Python would each assume their own time zone.
    types = [column.type for column in COLUMNS if isinstance(column.type, DateTime)]
    assert all(type_.timezone for type_ in types)


def test_no_column_has_a_postgresql_enum_type() -> None:
    # DROP TABLE does not drop the type, so the migration could not be repeated after a downgrade.
    # Use text and a CHECK constraint.
    enums = [column.type for column in COLUMNS if isinstance(column.type, Enum)]
    assert not any(enum.native_enum for enum in enums)


def test_no_statement_changes_the_session() -> None:
    # Connections return to the pool without a reset, so the next request would inherit the change.
    # Use SET LOCAL and transaction-scoped locks.
    session_state = re.compile(
        r"[\"']SET (?!LOCAL)|pg_(try_)?advisory_(lock|unlock)|[\"']LISTEN |TEMP"
    )
    assert [
        path
        for path in (ROOT / "app").rglob("*.py")
        # This module sets parameters of new connections, which are the same for all of them.
        if path != ROOT / "app" / "db" / "connection.py"
        and session_state.search(path.read_text("utf-8"))
    ] == []


@pytest.mark.slow
def test_imports_have_no_side_effects() -> None:
    # Reading any setting would fail, because all have an invalid value. Warnings are errors.
    environment = {**os.environ, **dict.fromkeys(setting_names(), "[invalid")}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EVERYTHING],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
