"""Components: discovery, settings, and lifespans while the database is open."""

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app import components
from app.components import discover_components
from app.main import create_app
from app.settings import Settings, SettingsError, load_settings
from tests.databases import ROOT

AddModule = Callable[[str, str], None]

# Records its start and its stop if the database is open.
RECORDER = """
from contextlib import asynccontextmanager
from sqlalchemy import text
from app.components import Component
from app.db.repositories.base import Reader

@asynccontextmanager
async def lifespan(app, settings):
    async def record(event):
        await Reader(app.state.database).fetch_all(text("SELECT 1"))
        app.state.events.append((event, __name__.rpartition(".")[2]))

    await record("start")
    try:
        yield
    finally:
        await record("stop")

def install(app, settings):
    app.state.events = []

component = Component(install=install, lifespan=lifespan)
"""
HANGING = """
import asyncio
from contextlib import asynccontextmanager
from app.components import Component

@asynccontextmanager
async def lifespan(app, settings):
    yield
    await asyncio.Event().wait()

component = Component(lifespan=lifespan)
"""
FAILING = """
from app.components import Component

def lifespan(app, settings):
    raise ZeroDivisionError

component = Component(lifespan=lifespan)
"""


@pytest.fixture
def add_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddModule]:
    """Return a function that adds a module to `app.components` for the test."""
    monkeypatch.setattr(components, "__path__", [*components.__path__, str(tmp_path)])
    names = []

    def add(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        names.append(name)

    yield add
    for name in names:
        sys.modules.pop(f"{components.__name__}.{name}", None)
        vars(components).pop(name, None)


@pytest.fixture
def tax(add_module: AddModule) -> Any:
    """Add the component of the guide, and return its module."""
    guide = (ROOT / "docs" / "add-a-component.md").read_text("utf-8")
    (source, *_) = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    add_module("tax", source)
    return import_module(f"{components.__name__}.tax")


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[None]:
    """Run the lifespan of `app`, and restore the log handlers that it replaces."""
    handlers = logging.getLogger().handlers[:]
    try:
        async with app.router.lifespan_context(app):
            yield
    finally:
        logging.getLogger().handlers[:] = handlers


@pytest.mark.parametrize("source", ["", "component = 1"])
def test_module_without_component_is_named(add_module: AddModule, source: str) -> None:
    add_module("empty", source)
    with pytest.raises(TypeError, match=r"^app\.components\.empty must have"):
        discover_components()


def test_settings_are_read_from_the_environment(tax: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAX_URL", "http://tax")
    assert load_settings().group(tax.TaxSettings).url == "http://tax"
    assert Settings().group(tax.TaxSettings).url == "http://tax"


@pytest.mark.usefixtures("tax")
def test_invalid_setting_is_reported_with_those_of_other_groups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAX_TIMEOUT", "0")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as raised:
        create_app()
    names = {line.split(":")[0] for line in str(raised.value).splitlines()}
    assert names == {"TAX_TIMEOUT", "LOG_LEVEL"}


async def test_documented_component_uses_the_settings_that_are_passed(
    tax: Any, settings: Settings
) -> None:
    passed = tax.TaxSettings(TAX_URL="http://tax")
    with_tax = Settings(service=settings.service, database=settings.database, components=(passed,))
    assert len(with_tax.components) == len(settings.components) + 1
    app = create_app(with_tax)
    async with started(app):
        assert app.state.tax_client.base_url == "http://tax"
    assert app.state.tax_client.is_closed


def test_settings_of_unknown_group_are_an_error(tax: Any, settings: Settings) -> None:
    with pytest.raises(LookupError, match="TaxSettings"):
        settings.group(tax.TaxSettings)


async def test_lifespans_run_while_the_database_is_open(
    add_module: AddModule, settings: Settings
) -> None:
    for name in ("zz_last", "aa_first"):
        add_module(name, RECORDER)
    app = create_app(settings)
    async with started(app):
        assert app.state.events == [("start", "aa_first"), ("start", "zz_last")]
    assert app.state.events[2:] == [("stop", "zz_last"), ("stop", "aa_first")]


async def test_lifespan_that_does_not_end_is_cancelled(
    add_module: AddModule,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(components, "STOP_TIMEOUT", 0.5)
    add_module("aa_recorder", RECORDER)
    for name in ("yy_hanging", "zz_hanging"):
        add_module(name, HANGING)
    app = create_app(settings)
    async with asyncio.timeout(60), started(app):
        pass
    # It has got its share of the time, in which it has used the database.
    assert app.state.events == [("start", "aa_recorder"), ("stop", "aa_recorder")]
    assert "app.components.yy_hanging has not stopped in time" in caplog.text
    assert "app.components.zz_hanging has not stopped in time" in caplog.text
    assert not app.state.database._is_open


async def test_timeout_error_of_a_lifespan_is_raised(
    add_module: AddModule, settings: Settings
) -> None:
    add_module("failing", HANGING.replace("await asyncio.Event().wait()", "raise TimeoutError"))
    with pytest.raises(TimeoutError):
        async with started(create_app(settings)):
            pass


async def test_failed_start_stops_other_components_and_closes_the_database(
    add_module: AddModule, settings: Settings
) -> None:
    add_module("aa_first", RECORDER)
    add_module("zz_failing", FAILING)
    app = create_app(settings)
    with pytest.raises(ZeroDivisionError):
        async with started(app):
            pytest.fail("the service has started")
    assert app.state.events == [("start", "aa_first"), ("stop", "aa_first")]
    with pytest.raises(RuntimeError, match="not open"):
        async with app.state.database.connection():
            pytest.fail("the database is open")
