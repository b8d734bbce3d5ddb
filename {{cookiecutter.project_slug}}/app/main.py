"""The application factory: `uvicorn --factory app.main:create_app`.

Importing this module has no side effects: `create_app` reads the settings, and the lifespan of the
application opens the database when the server starts.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from app.api.error_handlers import add_error_handlers
from app.api.middleware import middleware_stack
from app.api.openapi import api_info, document_errors
from app.api.router import describe_tags, discover_routers
from app.components import discover_components, install_components, running_components
from app.db import Database
from app.log_config import configure_logging, logged_startup_failure
from app.readiness import Readiness
from app.settings import Settings, load_settings
from app.shutdown import graceful_shutdown

logger = logging.getLogger(__name__)


@logged_startup_failure()
def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application from `settings`, or from the environment if it is None.

    Raises `SettingsError` if the settings are not valid.
    """
    settings = settings or load_settings()
    service = settings.service
    info = api_info()
    database = Database(settings.database)
    readiness = Readiness(settings.database)
    components = discover_components()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(service)
        with graceful_shutdown(service, on_drain=readiness.start_draining):
            async with database, readiness:
                logger.info("Database pool opened")
                async with running_components(components, app, settings):
                    yield
            logger.info("Database pool closed")

    # FastAPIOffline serves the assets of Swagger UI from this service instead of from a CDN.
    app_class = FastAPIOffline if service.serves_docs else FastAPI
    app = app_class(
        title=service.service_name,
        version=info["version"],
        description=info["description"],
        openapi_tags=describe_tags(),
        openapi_url="/openapi.json" if service.serves_docs else None,
        redoc_url=None,
        # Otherwise, Swagger UI sends the URL of the document to a validator on the Internet.
        swagger_ui_parameters={"validatorUrl": None},
        debug=service.debug,
        # `TrailingSlashMiddleware` replaces these redirects.
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=middleware_stack(service),
        # Client generators name methods after operation IDs: `list_articles`, not FastAPI's
        # `list_articles_api_v1_articles_get`.
        generate_unique_id_function=_operation_id,
    )
    app.state.database = database
    app.state.readiness = readiness
    install_components(components, app, settings)
    add_error_handlers(app)
    for router in discover_routers():
        app.include_router(router)
    document_errors(app)
    if service.serves_docs:
        _redirect_root_to_docs(app)
    return app


def _redirect_root_to_docs(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def redirect_to_docs(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope['root_path']}/docs")


def _operation_id(route: APIRoute) -> str:
    return route.name
