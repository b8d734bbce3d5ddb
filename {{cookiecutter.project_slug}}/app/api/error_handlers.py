"""Exception handlers: turn expected exceptions into problem responses.

The expected exceptions are `AppError`, which the service raises, and `HTTPException` (such as 404
and 405) and `RequestValidationError`, which Starlette and FastAPI raise.
`app.api.middleware.unhandled_errors` handles all other exceptions.
"""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from app.api.problem_details import problem_response
from app.errors import AppError, ShuttingDownError

logger = logging.getLogger(__name__)

# Limits the size of the response: a request may have 10,000 invalid fields.
_MAX_ERRORS = 50
# The methods that the `Allow` header can name.
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def add_error_handlers(app: FastAPI) -> None:
    """Register the exception handlers."""
    # Starlette's type hints only allow handlers that accept any exception.
    app.add_exception_handler(AppError, _handle_app_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _handle_http_exception)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)  # type: ignore[arg-type]


async def _handle_app_error(request: Request, error: AppError) -> JSONResponse:
    is_server_error = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_server_error and not isinstance(error, ShuttingDownError):
        # Only the type of the cause, since its message may contain values of the request.
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        logger.warning("%s%s", error.detail, cause)
    return problem_response(
        request.scope,
        error.status,
        error.detail,
        code=error.code,
        headers=error.headers,
        **error.members,
    )


async def _handle_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return problem_response(request.scope, error.status_code, str(error.detail), headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods that the path of the request supports, over all its routes.

    Starlette's own `Allow` header only has the methods of the first route that matches the path.
    """

    def is_allowed(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in _METHODS if is_allowed(method)]


async def _handle_invalid_request(
    request: Request, invalid: RequestValidationError
) -> JSONResponse:
    # Pydantic's `input` and `ctx` are left out: they contain the rejected value.
    errors = [
        {
            "loc": [_encodable(part) for part in error["loc"]],
            "type": error["type"],
            "msg": _encodable(error["msg"]),
        }
        for error in invalid.errors()[:_MAX_ERRORS]
    ]
    return problem_response(request.scope, 422, "The request is not valid.", errors=errors)


def _encodable(part: str | int) -> str | int:
    """Replace lone surrogates, which JSON can contain but UTF-8 cannot encode.

    `loc` may contain them, because it includes the names of unknown fields in the request.
    """
    return part if isinstance(part, int) else part.encode(errors="replace").decode()
