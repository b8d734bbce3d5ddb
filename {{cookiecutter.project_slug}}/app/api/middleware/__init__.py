"""ASGI middleware, which every request passes before it reaches a route.

All of it is plain ASGI, since Starlette's `BaseHTTPMiddleware` would run the route in a separate
task, where cancellation and context variables behave differently.
"""

from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware

from app.api.middleware.body_size_limit import BodySizeLimitMiddleware
from app.api.middleware.request_context import RequestContextMiddleware
from app.api.middleware.request_path import RootPathMiddleware, TrailingSlashMiddleware
from app.api.middleware.unhandled_errors import UnhandledErrorMiddleware
from app.settings import ServiceSettings

__all__ = [
    "BodySizeLimitMiddleware",
    "RequestContextMiddleware",
    "RootPathMiddleware",
    "TrailingSlashMiddleware",
    "UnhandledErrorMiddleware",
    "middleware_stack",
]


def middleware_stack(settings: ServiceSettings) -> list[Middleware]:
    """Return the middleware of the service, outermost first."""
    return [
        # FastAPI's own `root_path` is deprecated and does not add the prefix to `scope["path"]`.
        *([Middleware(RootPathMiddleware, settings.root_path)] if settings.root_path else []),
        Middleware(RequestContextMiddleware),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["DELETE", "GET", "PATCH", "POST", "PUT"],
            allow_headers=settings.cors_allow_headers,
            expose_headers=settings.cors_expose_headers,
        ),
        # With DEBUG, Starlette responds to unhandled exceptions with a traceback.
        *([] if settings.debug else [Middleware(UnhandledErrorMiddleware)]),
        Middleware(BodySizeLimitMiddleware, limit=settings.max_body_size),
        Middleware(TrailingSlashMiddleware),
    ]
