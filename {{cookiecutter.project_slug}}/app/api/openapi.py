"""What the OpenAPI document says of errors, so that a generated client knows them all."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app.api.problems import Problem, problems


def describe_errors(app: FastAPI) -> None:
    """Add to every operation the errors that do not depend on what it does.

    https://fastapi.tiangolo.com/how-to/extending-openapi/
    """
    made_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _describe_errors_in(made_by_fastapi())
        return made_by_fastapi()

    app.openapi = openapi  # type: ignore[method-assign]


def _describe_errors_in(document: dict[str, Any]) -> None:
    _, models = models_json_schema(
        [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    # FastAPI's own form of a 422, which this service never answers.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= models["$defs"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            statuses = [500]
            statuses += [422] if "422" in responses else []
            statuses += [400, 413] if "requestBody" in operation else []
            statuses += [503] if path.startswith("/api/") else []
            errors = {str(status): error for status, error in problems(*statuses).items()}
            operation["responses"] = dict(sorted((responses | errors).items()))
