"""Conventions of this project that no linter checks."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import isasyncgenfunction, iscoroutinefunction, isroutine
from typing import Any, get_args, get_type_hints

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute, APIWebSocketRoute
from pydantic import BaseModel
from sqlalchemy import JSON, DateTime, Enum

import app.db.models  # noqa: F401 - fills the metadata
from app.api.router import discover_routers
from app.db import metadata
from dev.default_settings import setting_names
from tests.databases import ROOT

ROUTES = [
    route
    for router in discover_routers()
    for route in router.routes
    if isinstance(route, APIRoute | APIWebSocketRoute)
]
HTTP_ROUTES = [route for route in ROUTES if isinstance(route, APIRoute)]
COLUMNS = [column for table in metadata.tables.values() for column in table.columns]

# Imports every module of the service. Any attempt to connect fails.
IMPORT_EVERYTHING = """
import socket, pkgutil, importlib, app
socket.socket.connect = None
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
"""

each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
each_http_route = pytest.mark.parametrize("route", HTTP_ROUTES, ids=lambda route: route.name)


def all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a route's dependant (FastAPI's term) and those of all its dependencies."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from all_dependants(dependency)


@each_route
def test_routes_and_dependencies_are_async(route: APIRoute | APIWebSocketRoute) -> None:
    # FastAPI runs other functions in a thread, which takes longer than most of these functions.
    for dependant in all_dependants(route.dependant):
        call: Any = dependant.call
        if not isroutine(call):
            # An object that can be called, such as `OAuth2PasswordBearer`.
            call = call.__call__
        assert iscoroutinefunction(call) or isasyncgenfunction(call), (
            f"{call.__module__}.{call.__qualname__} must be an `async def`; "
            "call blocking code with `await run_in_threadpool(...)`"
        )


@each_http_route
def test_json_responses_have_a_model(route: APIRoute) -> None:
    # Without a model, Pydantic inspects every value to find its serializer.
    response_class: Any = getattr(route.response_class, "value", route.response_class)
    if route.status_code == 204 or not issubclass(response_class, JSONResponse):
        return
    if isasyncgenfunction(route.endpoint) or returns_response(route):
        return
    models = get_args(route.response_model) or (route.response_model,)
    assert all(isinstance(model, type) and issubclass(model, BaseModel) for model in models), (
        f"`{route.name}` must have a Pydantic model as its return type; "
        "for a file or a stream, set `response_class` of the route"
    )


def returns_response(route: APIRoute) -> bool:
    """Return whether the return type of a route is a response, such as `FileResponse`."""
    returned = get_type_hints(route.endpoint).get("return")
    return isinstance(returned, type) and issubclass(returned, Response)


def test_column_defaults_are_server_defaults() -> None:
    # An SQL expression, such as that of `updated_at`, is evaluated by the server.
    columns = [
        str(column)
        for column in COLUMNS
        if column.default or (column.onupdate and not column.onupdate.is_clause_element)
    ]
    assert not columns, "use `server_default`, which also applies to rows of other clients"


def test_timestamps_have_a_time_zone() -> None:
    # Otherwise PostgreSQL and Python would each assume their own time zone.
    columns = [
        str(column)
        for column in COLUMNS
        if isinstance(column.type, DateTime) and not column.type.timezone
    ]
    assert not columns, "use `DateTime(timezone=True)`"


def test_null_in_json_columns_is_that_of_sql() -> None:
    # Otherwise None is stored as the JSON value `null`, which `IS NULL` does not find.
    columns = [
        str(column)
        for column in COLUMNS
        if isinstance(column.type, JSON) and column.nullable and not column.type.none_as_null
    ]
    assert not columns, "use `JSONB(none_as_null=True)`"


def test_no_column_has_a_postgresql_enum_type() -> None:
    # DROP TABLE does not drop the type, so the migration could not be repeated after a downgrade.
    columns = [
        str(column)
        for column in COLUMNS
        if isinstance(column.type, Enum) and column.type.native_enum
    ]
    assert not columns, "use `Enum(..., native_enum=False)`, which stores text"


def test_no_statement_changes_the_session() -> None:
    # Connections return to the pool without a reset, so the next request would inherit the change.
    # Use SET LOCAL and transaction-scoped locks.
    session_state = re.compile(
        r"[\"']SET (?!LOCAL|NULL)|pg_(try_)?advisory_(lock|unlock)|[\"']LISTEN |TEMP(ORARY)? TABLE"
    )
    paths = [
        str(path)
        for path in (ROOT / "app").rglob("*.py")
        # This module sets parameters of new connections, which are the same for all of them.
        if path != ROOT / "app" / "db" / "connection.py"
        and session_state.search(path.read_text("utf-8"))
    ]
    assert not paths, "use SET LOCAL, transaction-scoped locks, or a separate connection"


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
