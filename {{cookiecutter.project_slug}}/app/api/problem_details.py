"""Problem details (RFC 9457): the `application/problem+json` body of every error response.

`app.api.error_handlers` and `app.api.middleware` respond with `problem_response`. Routes document
their errors with `error_responses`.

https://www.rfc-editor.org/rfc/rfc9457
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse
from starlette.types import Scope

from app.api.paths import request_path
from app.log_config import request_id_var

MEDIA_TYPE = "application/problem+json"

# The names of RFC 9110. Before Python 3.13, `HTTPStatus` has older ones.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class InvalidValue(BaseModel):
    """A validation error. Never contains the rejected value."""

    loc: Annotated[
        list[str | int],
        Field(description="Path of the value in the request; empty if it is not known."),
    ]
    type: Annotated[str, Field(description="Identifier of the violated rule.")]
    msg: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: Annotated[str, Field(examples=["about:blank"])] = "about:blank"
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["Not found."])]
    instance: Annotated[
        str, Field(description="Path of the request.", examples=["/api/v1/things/7"])
    ]
    request_id: Annotated[
        str,
        Field(
            description="Identifies the request in the log of the service.",
            examples=["5f0c7a9e3b6d4c1f8a2e9d7b6c5a4f3e"],
        ),
    ]
    field: Annotated[
        str | None,
        Field(
            description="With 409: the field whose value is already in use, or refers to a"
            " resource that does not exist."
        ),
    ] = None
    referenced_by: Annotated[
        str | None, Field(description="With 409: what still refers to the resource.")
    ] = None
    # jinja: if cookiecutter.auth
    scope: Annotated[str | None, Field(description="With 403: the scope that is missing.")] = None
    # jinja: endif
    errors: Annotated[
        list[InvalidValue] | None, Field(description="With 422: the first 50 invalid values.")
    ] = None


def problem_response(
    scope: Scope,
    status: int,
    detail: str,
    /,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """Return an error response. With a `code`, the type of the problem is `/problems/<code>`.

    `members` are the optional members of `Problem`, such as `field`.
    """
    body = Problem(
        type=f"/problems/{code}" if code else "about:blank",
        title=_title(status),
        status=status,
        detail=detail,
        instance=request_path(scope),
        request_id=request_id_var.get(),
        **members,
    )
    content = body.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` argument of a route that can fail with these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _title(status), "content": content} for status in statuses}


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase
