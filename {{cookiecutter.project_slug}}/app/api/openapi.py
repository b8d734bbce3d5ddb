"""What the OpenAPI document says beyond the routes: every error, and what follows a creation."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app.api.problem_details import Problem, error_responses


def extend_openapi(app: FastAPI) -> None:
    """Add to every operation the errors that do not depend on what it does, and links.

    https://fastapi.tiangolo.com/how-to/extending-openapi/
    """
    original_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = original_openapi()
            _describe_errors(document)
            _link_what_is_created(document["paths"])
        return original_openapi()

    # A method as far as types go; FastAPI asks for it to be replaced.
    app.openapi = openapi  # type: ignore[method-assign]


def _describe_errors(document: dict[str, Any]) -> None:
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
            statuses += [400, 413, 415] if "requestBody" in operation else []
            statuses += [503] if path.startswith("/api/") else []
            errors = {str(status): error for status, error in error_responses(*statuses).items()}
            operation["responses"] = dict(sorted((responses | errors).items()))


def _link_what_is_created(paths: dict[str, Any]) -> None:
    # A client, or a program that tries the service out, learns what the new id is good for.
    # https://spec.openapis.org/oas/v3.1.0#link-object
    for collection, operations in paths.items():
        created = operations.get("post", {}).get("responses", {}).get("201")
        below = [path for path in paths if path.startswith(collection + "/{")]
        if created is None or not below:
            continue
        created["links"] = {
            operation["operationId"]: {
                "operationId": operation["operationId"],
                "parameters": {_first_parameter(path): "$response.body#/id"},
            }
            for path in below
            for operation in paths[path].values()
        }


def _first_parameter(path: str) -> str:
    return path.partition("{")[2].partition("}")[0]
