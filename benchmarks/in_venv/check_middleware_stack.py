"""Fails unless the compared services run under exactly the middleware of the project."""

import sys
from typing import Any

import limit
import typical
from fastapi import FastAPI

from app.main import create_app


def layers(app: FastAPI) -> list[tuple[Any, ...]]:
    """What stands around the routes, in a form that compares."""
    return [(layer.cls, layer.args, layer.kwargs) for layer in app.user_middleware]


if __name__ == "__main__":
    project = layers(create_app())
    for made in (limit.create_app(), typical.create_app()):
        if layers(made) != project:
            sys.exit(f"The project has other middleware than middleware_stack.py: {project}")
