"""The OpenAPI document: the metadata of the API, and the error responses of all operations."""

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
    # Not from `importlib.metadata`: the service runs from its folder, without being installed.
    project = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]
    description = f"{project['description']}\n{_CONVENTIONS}".strip()
    return {"version": project["version"], "description": description}


def document_errors(app: FastAPI) -> None:
    """Add to every operation the error responses that do not depend on the route.

    https://fastapi.tiangolo.com/how-to/extending-openapi/
    """
    original_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _add_error_responses(original_openapi())
        return original_openapi()

    # FastAPI documents this assignment; mypy regards `openapi` as a method.
    app.openapi = openapi  # type: ignore[method-assign]


def _add_error_responses(document: dict[str, Any]) -> None:
    _, models = models_json_schema(
        [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    # FastAPI's own schemas of a 422 response, which are not used.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= models["$defs"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            statuses = [500]
            statuses += [422] if "422" in responses else []
            statuses += [400, 413, 415] if "requestBody" in operation else []
            statuses += [503] if path.startswith("/api/") else []
            errors = {str(status): error for status, error in error_responses(*statuses).items()}
            operation["responses"] = dict(sorted((responses | errors).items()))
