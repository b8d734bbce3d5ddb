"""Application factory of the other services, with the middleware and access log of the project.

With the same middleware, the services differ only in their database access. They do not import
`app.main`, which would load the project's database layer too, and so increase startup time and
memory. `check_middleware_stack.py` checks that `app.main` adds no other middleware.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI

from app.api.error_handlers import add_error_handlers
from app.api.middleware import middleware_stack
from app.log_config import configure_logging
from app.settings import Settings

#: Opens the connection pool in `app.state`, and closes it.
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(
    settings: Settings, router: APIRouter, open_pool: Lifespan, *, has_middleware: bool = True
) -> FastAPI:
    """Create an application, with or without the middleware and the access log."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(settings.service)
        async with open_pool(app):
            yield

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=middleware_stack(settings.service) if has_middleware else [],
    )
    add_error_handlers(app)
    app.include_router(router)
    return app


def database_url(settings: Settings) -> str:
    """Return DATABASE_URL. Raises ValueError if it is not set."""
    if settings.database.url is None:
        raise ValueError("DATABASE_URL is not set")
    return settings.database.url.get_secret_value()
