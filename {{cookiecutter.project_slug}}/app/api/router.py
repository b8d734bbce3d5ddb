"""Route discovery: every module in `app.api.routes` that has a `router`."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from fastapi import APIRouter

from app.api import routes


def discover_routers() -> list[APIRouter]:
    """Return the routers of all resources, sorted by the names of their modules."""
    return [module.router for module in _route_modules()]


def describe_tags() -> list[dict[str, str]]:
    """Return OpenAPI's description of every tag: the docstring of its route module."""
    return [
        {"name": str(tag), "description": inspect.getdoc(module) or ""}
        for module in _route_modules()
        for tag in module.router.tags
    ]


def _route_modules() -> Iterator[ModuleType]:
    for found in iter_modules(routes.__path__, f"{routes.__name__}."):
        module = import_module(found.name)
        if isinstance(getattr(module, "router", None), APIRouter):
            yield module
