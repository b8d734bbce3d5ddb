"""Route discovery: includes every module in `app.api.routes` that has a `router`."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from fastapi import APIRouter

from app.api import routes


def discover_routers() -> list[APIRouter]:
    """Return the routers of all resources, in the alphabetical order of their modules."""
    return [module.router for module in _route_modules()]


def describe_tags() -> list[dict[str, str]]:
    """Return the OpenAPI description of each tag: the docstring of its route module."""
    return [
        {"name": str(tag), "description": inspect.getdoc(module) or ""}
        for module in _route_modules()
        for tag in module.router.tags
    ]


def _route_modules() -> Iterator[ModuleType]:
    for info in iter_modules(routes.__path__, prefix=f"{routes.__name__}."):
        module = import_module(info.name)
        if isinstance(getattr(module, "router", None), APIRouter):
            yield module
