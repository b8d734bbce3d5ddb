"""Requests with examples and invalid content, built from the OpenAPI document."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient, Request, Response

from tests.openapi_contract import DOCUMENT, Operation

Schema = dict[str, Any]


async def send(client: AsyncClient, request: Request) -> Response:
    """Send a request. Do not read server-sent events, which have no end."""
    response = await client.send(request, stream=True)
    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
        await response.aclose()
    else:
        await response.aread()
    return response


async def send_example(client: AsyncClient, operation: Operation) -> Response:
    """Send the documented example. An ID in the path is unknown."""
    return await send(client, build_request(client, operation))


async def send_content(
    client: AsyncClient, operation: Operation, content: bytes, **headers: str
) -> Response:
    """Send these bytes as the body. `headers` replace the documented media type."""
    media_type = operation.body_type or "text/plain"
    if media_type == "multipart/form-data":
        media_type += "; boundary=boundary"
    headers = {"Content-Type": media_type} | headers
    target = operation.fill_path(UUID(int=0))
    request = client.build_request(operation.method, target, content=content, headers=headers)
    return await send(client, request)


def build_request(client: AsyncClient, operation: Operation) -> Request:
    """Build a request with the documented examples. IDs in the path are unknown."""
    parameters: dict[str, dict[str, Any]] = {"query": {}, "header": {}, "cookie": {}, "path": {}}
    for parameter in operation.spec.get("parameters", []):
        name, place, schema = parameter["name"], parameter["in"], resolve(parameter["schema"])
        if place == "path":
            parameters[place][name] = unknown_id(schema)
        elif parameter.get("required"):
            parameters[place][name] = example_value(schema, f"{operation.name}: {name}")
    return client.build_request(
        operation.method,
        operation.path.format(**parameters["path"]),
        params=parameters["query"],
        headers={name: str(value) for name, value in parameters["header"].items()},
        cookies={name: str(value) for name, value in parameters["cookie"].items()},
        **example_body(operation),
    )


def example_body(operation: Operation) -> dict[str, Any]:
    """Return the arguments of `AsyncClient.build_request` for the body of an operation."""
    if operation.body_type is None:
        return {}
    content = operation.spec["requestBody"]["content"][operation.body_type]
    schema = resolve(content.get("schema", {}))
    if operation.body_type == "application/json":
        return {"json": example_value(schema, operation.name)}
    if schema.get("type") != "object":
        return {"content": b"example", "headers": {"Content-Type": operation.body_type}}
    fields = example_value(schema, operation.name)
    files = {name for name, field in schema["properties"].items() if is_file(field)}
    return {
        "data": {name: value for name, value in fields.items() if name not in files},
        "files": {name: value for name, value in fields.items() if name in files},
    }


def example_value(schema: Schema, name: str) -> Any:
    """Return the first example of a schema, or the simplest valid value.

    Fails the test if there is no example and the type does not imply one.
    """
    schema = resolve(schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if alternatives := list(_alternatives(schema)):
        with_example = (one for one in alternatives if "examples" in one)
        return example_value(next(with_example, alternatives[0]), name)
    match schema.get("type"):
        case "object":
            return _example_object(schema, name)
        case "array":
            return [example_value(schema.get("items", {}), name)]
        case "boolean":
            return True
        case "null":
            return None
    if is_file(schema):
        return b"example"
    pytest.fail(
        f"{name} has no example. Tests, documentation and client generators need one for every "
        "required value: add `examples=[...]` to its `Field`, `Query`, `Header` or `Form`."
    )


def _example_object(schema: Schema, name: str) -> dict[str, Any]:
    required = schema.get("required", [])
    return {
        key: example_value(field, f"{name}: {key}")
        for key, field in schema.get("properties", {}).items()
        if key in required or _has_example(resolve(field))
    }


def _has_example(schema: Schema) -> bool:
    return any("examples" in alternative for alternative in (schema, *_alternatives(schema)))


def _alternatives(schema: Schema) -> Iterator[Schema]:
    for keyword in ("anyOf", "oneOf", "allOf"):
        yield from map(resolve, schema.get(keyword, []))


def resolve(schema: Schema) -> Schema:
    """Return the schema that a `$ref` refers to."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def is_file(schema: Schema) -> bool:
    """Return whether a schema describes an uploaded file."""
    return "contentMediaType" in schema or schema.get("format") == "binary"


def unknown_id(schema: Schema) -> object:
    """Return a valid value for a parameter of the path that belongs to no row."""
    if schema.get("type") == "integer":
        return schema.get("maximum", 2**31 - 1)
    if schema.get("format") == "uuid":
        return UUID(int=0)
    return example_value({"examples": ["unknown"], **schema}, "path")
