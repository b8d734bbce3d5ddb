"""The application: `uvicorn --factory app.main:create_app`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from app.api.middleware import (
    BodySizeLimitMiddleware,
    RequestContextMiddleware,
    RootPathMiddleware,
    TrailingSlashMiddleware,
    UnhandledErrorMiddleware,
)
from app.api.openapi import extend_openapi
from app.api.problem_details import add_problem_handlers
from app.api.router import discover_routers
from app.db import Database
from app.log_config import configure_logging, log_refused_start
from app.readiness import Readiness
from app.settings import ServiceSettings, Settings, SettingsError, load_settings
from app.shutdown import graceful_shutdown

# jinja: if cookiecutter.auth
from .auth.authentication import Authentication

# jinja: endif
logger = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service, made from the settings or else from the environment.

    Raises `SettingsError` when they do not describe a service that can run.
    """
    try:
        return _create_app(settings or load_settings())
    except SettingsError as error:
        log_refused_start(error)
        raise


def _create_app(settings: Settings) -> FastAPI:
    service = settings.service
    database = Database(settings.database)
    readiness = Readiness(settings.database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        configure_logging(service)
        with graceful_shutdown(service, on_stop=readiness.stop):
            async with database, readiness:
                logger.info("Database pool opened")
                yield
            logger.info("Database pool closed")

    # The documentation page's scripts come from here, not from a host of others.
    make = FastAPIOffline if service.serves_docs else FastAPI
    app = make(
        title=service.service_name,
        debug=service.debug,
        openapi_url="/openapi.json" if service.serves_docs else None,
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=_middleware(service),
        # The names of generated clients' methods.
        generate_unique_id_function=_route_name,
    )
    app.state.database = database
    app.state.readiness = readiness
    # jinja: if cookiecutter.auth
    app.state.authentication = Authentication(settings.auth)
    # jinja: endif
    add_problem_handlers(app)
    for router in discover_routers():
        app.include_router(router)
    extend_openapi(app)
    return app


def _middleware(settings: ServiceSettings) -> list[Middleware]:
    """The layers around every request, from the outermost inwards."""
    return [
        # Not FastAPI's `root_path`, which is deprecated and leaves `scope["path"]` without it.
        *([Middleware(RootPathMiddleware, settings.root_path)] if settings.root_path else []),
        Middleware(RequestContextMiddleware),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["DELETE", "GET", "PATCH", "POST", "PUT"],
            allow_headers=settings.cors_allow_headers,
            expose_headers=settings.cors_expose_headers,
        ),
        # While debugging, Starlette's page with the traceback says more.
        *([] if settings.debug else [Middleware(UnhandledErrorMiddleware)]),
        Middleware(BodySizeLimitMiddleware, limit=settings.max_body_size),
        Middleware(TrailingSlashMiddleware),
    ]


def _route_name(route: APIRoute) -> str:
    return route.name
