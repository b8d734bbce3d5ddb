"""Middleware that responds to unhandled exceptions, and to requests cancelled by the shutdown."""

import asyncio
import logging

from fastapi.telemetry._asgi import ExceptionTelemetryMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problem_details import problem_response

logger = logging.getLogger(__name__)


class UnhandledErrorMiddleware:
    """Turns unhandled exceptions into a 500 problem response, and logs them.

    Starlette's `ServerErrorMiddleware` is outside all middleware and raises the exception again.
    This middleware is inside CORS, so that browsers can read the response. It does not raise the
    exception, so that the server keeps the connection open.

    If the response has already started, the exception is raised: the server then closes the
    connection, and the client notices that the response is incomplete.

    When uvicorn's shutdown timeout expires, uvicorn cancels the requests that are still open. The
    response to them is 503, so that clients retry.
    """

    def __init__(self, app: ASGIApp) -> None:
        # Records exceptions in traces. FastAPI's own instance of this class is outside
        # `UnhandledErrorMiddleware`, so it sees only the response, not the exception. The import is
        # private: `tests/test_telemetry.py` fails if it breaks.
        self.app = ExceptionTelemetryMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        response_started = False

        async def send_wrapper(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_wrapper)
        except asyncio.CancelledError as error:
            # Only uvicorn's shutdown cancels with this message.
            if response_started or "graceful shutdown" not in str(error):
                raise
            response = problem_response(
                scope, 503, "The service is shutting down.", headers={"Retry-After": "1"}
            )
        except Exception:
            if response_started:
                raise
            logger.exception("Unhandled error")
            response = problem_response(
                scope, 500, "Internal server error. Quote the request ID when reporting it."
            )
        else:
            return
        await response(scope, receive, send)
