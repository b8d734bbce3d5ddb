"""Exit with an error unless the other services have exactly the middleware of the project."""

import sys
from typing import Any

import documented_pattern
import raw_asyncpg
from fastapi import FastAPI

from app.main import create_app


def middleware_stack(app: FastAPI) -> list[tuple[Any, ...]]:
    """Return the classes and arguments of the middleware, as comparable values."""
    return [(item.cls, item.args, item.kwargs) for item in app.user_middleware]


if __name__ == "__main__":
    project = middleware_stack(create_app())
    for app in (raw_asyncpg.create_app(), documented_pattern.create_app()):
        if middleware_stack(app) != project:
            sys.exit(f"middleware_stack.py differs from the project's middleware: {project}")
