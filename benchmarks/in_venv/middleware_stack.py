"""What stands around the routes of the services that the project is compared with: the project's
own middleware and access line, so that only the way to the database differs.

`check_middleware_stack.py` sees to it that this list is the project's. It is not imported from
`app.main`, which would load the project's database layer, and count for start and memory.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware

from app.api.error_handlers import add_error_handlers
from app.api.middleware import (
    BodySizeLimitMiddleware,
    RequestContextMiddleware,
    TrailingSlashMiddleware,
    UnhandledErrorMiddleware,
)
from app.log_config import configure_logging
from app.settings import ServiceSettings, Settings

#: Opens what the routes need in `app.state`, and closes it.
Opened = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(
    settings: Settings, router: APIRouter, opened: Opened, *, is_bare: bool = False
) -> FastAPI:
    """An application with these routes; a bare one has no middleware and no access line."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(settings.service)
        async with opened(app):
            yield

    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[] if is_bare else middleware(settings.service),
    )
    add_error_handlers(app)
    app.include_router(router)
    return app


def middleware(settings: ServiceSettings) -> list[Middleware]:
    """The layers around every request, from the outermost inwards."""
    return [
        Middleware(RequestContextMiddleware),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["DELETE", "GET", "PATCH", "POST", "PUT"],
            allow_headers=settings.cors_allow_headers,
            expose_headers=settings.cors_expose_headers,
        ),
        Middleware(UnhandledErrorMiddleware),
        Middleware(BodySizeLimitMiddleware, limit=settings.max_body_size),
        Middleware(TrailingSlashMiddleware),
    ]


def database_url(settings: Settings) -> str:
    """The address of the database."""
    if settings.database.url is None:
        raise ValueError("DATABASE_URL is missing")
    return settings.database.url.get_secret_value()
