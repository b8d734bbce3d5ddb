"""Additions to FastAPI's OpenAPI document: metadata, and error responses of every operation.

A route documents the errors that are specific to it (`responses=error_responses(404)`).
`document_errors` adds those that any route can return, such as 500.
"""

import tomllib
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app.api.problem_details import Problem, error_responses

_PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

_CONVENTIONS = """
Errors are [problem details](https://www.rfc-editor.org/rfc/rfc9457) in `application/problem+json`.
Every response has an `X-Request-ID` header: quote it when you report a problem. Timestamps are in
UTC.
"""


def api_info() -> dict[str, str]:
    """Return the version and the description of the API."""
    # Not from `importlib.metadata`: the service is not installed, but runs from its folder.
    project = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]
    description = f"{project['description']}\n{_CONVENTIONS}".strip()
    return {"version": project["version"], "description": description}


def document_errors(app: FastAPI) -> None:
    """Add to every operation the error responses that do not depend on the route.

    https://fastapi.tiangolo.com/how-to/extending-openapi/
    """
    build_document = app.openapi

    def openapi() -> dict[str, Any]:
        is_cached = app.openapi_schema is not None
        # FastAPI caches this object, so the responses are added once, to the cached document.
        document = build_document()
        if not is_cached:
            _add_error_responses(document)
        return document

    # FastAPI documents this assignment, which mypy rejects because `openapi` is a method.
    app.openapi = openapi  # type: ignore[method-assign]


def _add_error_responses(document: dict[str, Any]) -> None:
    # No route returns a `Problem`, so FastAPI does not generate its schema.
    _, models = models_json_schema(
        [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    # FastAPI's own schemas of a 422 response, which `Problem` replaces.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= models["$defs"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            statuses = [500]
            if "422" in responses:
                # Added by FastAPI to operations with parameters or a body; replace its schema.
                statuses += [422]
            if "requestBody" in operation:
                # Invalid JSON, a large body, a compressed body.
                statuses += [400, 413, 415]
            # jinja: if cookiecutter.auth
            if schemes := operation.get("security"):
                statuses += [401]
                # The scopes that the operation requires.
                if any(scopes for scheme in schemes for scopes in scheme.values()):
                    statuses += [403]
            # jinja: endif
            if path.startswith("/api/"):
                # The database is unavailable.
                statuses += [503]
            errors = {str(status): error for status, error in error_responses(*statuses).items()}
            operation["responses"] = dict(sorted((responses | errors).items()))
