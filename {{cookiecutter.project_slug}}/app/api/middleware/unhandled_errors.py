"""The response to unhandled exceptions and to requests that are cancelled during shutdown."""

import asyncio
import logging

from fastapi.telemetry._asgi import ExceptionTelemetryMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problem_details import problem_response

logger = logging.getLogger(__name__)


class UnhandledErrorMiddleware:
    """Turns unhandled exceptions into a 500 problem response.

    Starlette's own handler is outside all middleware and raises the exception again. This one is
    inside CORS, so that browsers may read the response, and does not raise, so that the server
    keeps the connection open. An exception after the start of the response is raised: the server
    then closes the connection, and the client notices that the response is incomplete.
    """

    def __init__(self, app: ASGIApp) -> None:
        # FastAPI's own telemetry layer is outside this middleware and would only see the response.
        self.app = ExceptionTelemetryMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def send_wrapper(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_wrapper)
        except asyncio.CancelledError as error:
            # uvicorn cancels with this message when the timeout of the graceful shutdown expires.
            if has_started or "graceful shutdown" not in str(error):
                raise
            response = problem_response(
                scope, 503, "The service is shutting down.", headers={"Retry-After": "1"}
            )
        except Exception:
            if has_started:
                raise
            logger.exception("Unhandled error")
            response = problem_response(
                scope, 500, "Internal server error. Quote the request ID when reporting it."
            )
        else:
            return
        await response(scope, receive, send)
