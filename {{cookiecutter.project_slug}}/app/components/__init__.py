"""Components: parts of the service with their own settings or start-up code, one module each.

`discover_components` finds every module in this package, so a new module needs no registration.
`docs/add-a-component.md` has an example.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from app.settings_base import SettingsGroup

if TYPE_CHECKING:
    from fastapi import FastAPI

    # Not at run time, because `app.settings` imports this module.
    from app.settings import Settings


logger = logging.getLogger(__name__)

# Seconds for the exits of all lifespans. `app.shutdown` reserves them.
STOP_TIMEOUT = 2


@dataclass(frozen=True, kw_only=True)
class Component:
    """What a module adds to the service: the value of its attribute `component`."""

    #: Loaded with all other settings. `Settings.group` returns it.
    settings_group: type[SettingsGroup] | None = None
    #: Called by `create_app`, before the routes are included.
    install: "Callable[[FastAPI, Settings], None] | None" = None
    #: Entered when the database is open, and exited before it closes, within `STOP_TIMEOUT`.
    lifespan: "Callable[[FastAPI, Settings], AbstractAsyncContextManager[None]] | None" = None


def discover_components() -> list[Component]:
    """Return the components of all modules, in the alphabetical order of the modules.

    Raises `TypeError` if a module has no component.
    """
    modules = iter_modules(__path__, prefix=f"{__name__}.")
    return [_import_component(module.name) for module in modules]


def install_components(
    components: Sequence[Component], app: "FastAPI", settings: "Settings"
) -> None:
    """Call `install` of the components in this order."""
    for component in components:
        if component.install is not None:
            component.install(app, settings)


@asynccontextmanager
async def running_components(
    components: Sequence[Component], app: "FastAPI", settings: "Settings"
) -> AsyncIterator[None]:
    """Enter the lifespans of the components in this order, and exit them in reverse order.

    An exit that takes longer than its share of `STOP_TIMEOUT` is cancelled, so that it does not
    keep the process from stopping.
    """
    loop = asyncio.get_running_loop()
    is_running: list[str] = []
    end = 0.0

    async def stop(lifespan: AbstractAsyncContextManager[None], *error: Any) -> bool | None:
        # The exits that follow also get their share.
        share = (end - loop.time()) / len(is_running)
        name = is_running.pop()
        try:
            async with asyncio.timeout(share) as timeout:
                return await lifespan.__aexit__(*error)
        except TimeoutError:
            if not timeout.expired():
                raise
            logger.error("%s has not stopped in time: its lifespan is cancelled", name)  # noqa: TRY400 - the traceback shows only where it waited
            return None

    async with AsyncExitStack() as stack:
        try:
            for component in components:
                if component.lifespan is not None:
                    lifespan = component.lifespan(app, settings)
                    await lifespan.__aenter__()
                    is_running.append(component.lifespan.__module__)
                    stack.push_async_exit(partial(stop, lifespan))
            yield
        finally:
            end = loop.time() + STOP_TIMEOUT


def _import_component(name: str) -> Component:
    component = getattr(import_module(name), "component", None)
    if not isinstance(component, Component):
        raise TypeError(f"{name} must have an attribute `component`, a `Component`")
    return component
