"""Components: parts of the service with their own settings or start-up code, one module each.

`discover_components` finds every module in this package, so a new module needs no registration.
`docs/add-a-component.md` has an example.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from app.settings_base import SettingsGroup

if TYPE_CHECKING:
    from fastapi import FastAPI

    # Not at run time, because `app.settings` imports this module.
    from app.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Component:
    """What a module adds to the service: the value of its attribute `component`."""

    #: Loaded with all other settings. `Settings.group` returns it.
    settings_group: type[SettingsGroup] | None = None
    #: Called by `create_app`, before the routes are included.
    install: "Callable[[FastAPI, Settings], None] | None" = None
    #: Entered when the database is open, and exited before it closes.
    lifespan: "Callable[[FastAPI, Settings], AbstractAsyncContextManager[None]] | None" = None


def discover_components() -> list[Component]:
    """Return the components of all modules, in the alphabetical order of the modules.

    Raises `TypeError` if a module has no component.
    """
    modules = iter_modules(__path__, prefix=f"{__name__}.")
    return [_import_component(module.name) for module in modules]


def _import_component(name: str) -> Component:
    component = getattr(import_module(name), "component", None)
    if not isinstance(component, Component):
        raise TypeError(f"{name} must have an attribute `component`, a `Component`")
    return component
