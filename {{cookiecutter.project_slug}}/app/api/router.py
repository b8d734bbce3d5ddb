"""Finds the routes: every module in `app.api.routes` that has a `router`."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter

from app.api import routes


def discover_routers() -> Iterator[APIRouter]:
    """The routers of all resources, in the order of their names."""
    for module in iter_modules(routes.__path__, f"{routes.__name__}."):
        router = getattr(import_module(module.name), "router", None)
        if isinstance(router, APIRouter):
            yield router
