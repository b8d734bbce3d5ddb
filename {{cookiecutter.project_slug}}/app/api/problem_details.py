"""Errors as `application/problem+json` (RFC 9457), every one that a route can meet.

https://www.rfc-editor.org/rfc/rfc9457
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import Scope

from app.api.paths import encoded_path
from app.errors import AppError, ShuttingDownError
from app.log_config import request_id

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

# Of a body that is wrong throughout: to tell of each field would take longer than to refuse it.
_MAX_ERRORS = 50
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
# Python changed the names of these between its versions.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class InvalidValue(BaseModel):
    """One refused value: where it stands and why, never the value itself."""

    loc: list[str | int]
    type: str
    msg: str


class Problem(BaseModel):
    """What went wrong, for programs and for people."""

    type: Annotated[str, Field(examples=["about:blank"])] = "about:blank"
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["Not found."])]
    #: The path that was asked for.
    instance: Annotated[str, Field(examples=["/api/v1/things/7"])]
    #: Finds the lines of this request in the log.
    request_id: Annotated[str, Field(examples=["5f0c7a9e3b6d4c1f8a2e9d7b6c5a4f3e"])]
    #: With 409: the one field whose value is taken.
    field: str | None = None
    #: With 422: what was refused, the first fifty of them.
    errors: list[InvalidValue] | None = None


def problem_response(
    scope: Scope,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """The answer to a request that failed; `code` names a type of problem of this service."""
    body = Problem(
        type=f"/problems/{code}" if code else "about:blank",
        title=_title(status),
        status=status,
        detail=detail,
        instance=encoded_path(scope),
        request_id=request_id.get(),
        **members,
    )
    content = body.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that fails in these ways, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _title(status), "content": content} for status in statuses}


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error that a route, the router or the parser raises with a problem."""
    # The types of Starlette know only handlers of every exception.
    app.add_exception_handler(AppError, _on_app_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _on_http_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _on_invalid)  # type: ignore[arg-type]


async def _on_app_error(request: Request, error: AppError) -> JSONResponse:
    is_failure = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_failure and not isinstance(error, ShuttingDownError):
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


async def _on_http_error(request: Request, error: HTTPException) -> JSONResponse:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return problem_response(request.scope, error.status_code, str(error.detail), headers=headers)


def _allowed_methods(request: Request) -> list[str]:
    # The router names only those of the first route that matches the path.
    routes = request.app.routes
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]


async def _on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    errors = [
        {
            "loc": [_printable(part) for part in found["loc"]],
            "type": found["type"],
            "msg": _printable(found["msg"]),
        }
        for found in error.errors()[:_MAX_ERRORS]
    ]
    return problem_response(request.scope, 422, "The request is not valid.", errors=errors)


def _printable(part: str | int) -> str | int:
    # The name of an unknown field comes from the client, and may hold what UTF-8 cannot.
    return part if isinstance(part, int) else part.encode(errors="replace").decode()
