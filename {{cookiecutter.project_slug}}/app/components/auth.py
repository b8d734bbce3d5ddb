"""Authentication of users, see `app.auth`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.auth.authentication import Authentication
from app.auth.client_connection import ClientConnectionMiddleware
from app.auth.settings import AuthSettings
from app.components import Component
from app.settings import Settings

logger = logging.getLogger(__name__)


def install(app: FastAPI, settings: Settings) -> None:
    """Create the services that all requests share, and add the middleware."""
    app.state.authentication = Authentication(settings.group(AuthSettings))
    app.add_middleware(ClientConnectionMiddleware)


@asynccontextmanager
async def lifespan(_: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Log a warning at startup if access tokens will not survive a restart."""
    if not settings.group(AuthSettings).secrets:
        logger.warning(
            "AUTH_SECRETS is not set: each process signs access tokens with its own random secret."
            " The tokens become invalid when the process restarts or reloads"
        )
    yield


component = Component(settings_group=AuthSettings, install=install, lifespan=lifespan)
