"""The OpenAPI document is complete and correct.

The clients of all tests check that the document lists each response (`assert_documented`). The
tests here check the opposite: each documented error response can occur. They run once for each
operation, so they also check the routes of a new resource.
"""

import gzip
import re
from collections.abc import AsyncIterator
from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from starlette.datastructures import State

from app.db import Database
from tests.openapi_contract import DOCUMENT, OPERATIONS, UNREACHABLE, Operation

# Most tests leave out other operations, which respond with 401: the requests have no access token.
PUBLIC_OPERATIONS = [operation for operation in OPERATIONS if "security" not in operation.spec]
SCHEMAS = DOCUMENT["components"]["schemas"]
UNKNOWN_ID = UUID(int=0)

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
each_public_operation = pytest.mark.parametrize(
    "operation", PUBLIC_OPERATIONS, ids=attrgetter("name")
)


def example_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a body that contains the first example of each field."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    body = {}
    for name, field in schema["properties"].items():
        # A nullable field is an `anyOf`, whose alternatives have the examples.
        for alternative in (field, *field.get("anyOf", [])):
            if "examples" in alternative:
                body[name] = alternative["examples"][0]
    return body


async def send_example(client: AsyncClient, operation: Operation) -> Response:
    """Send the documented example. An ID in the path is unknown."""
    options: dict[str, Any] = {}
    if operation.body_type:
        schema = operation.spec["requestBody"]["content"][operation.body_type]["schema"]
        argument = "json" if operation.body_type == "application/json" else "data"
        options[argument] = example_body(schema)
    return await client.request(operation.method, operation.fill_path(UNKNOWN_ID), **options)


async def send_content(
    client: AsyncClient, operation: Operation, content: bytes, **headers: str
) -> Response:
    """Send these bytes as the body. `headers` replace the documented media type."""
    headers = {"Content-Type": operation.body_type or "text/plain"} | headers
    target = operation.fill_path(UNKNOWN_ID)
    return await client.request(operation.method, target, content=content, headers=headers)


@pytest.fixture
async def client_without_database(app: FastAPI, client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """Yield a client of the application with an unreachable database."""
    async with Database(UNREACHABLE.database) as database:
        app.state.database = database
        yield client


def assert_status_is_documented(response: Response, operation: Operation, status: int) -> None:
    """Check that the response has `status` if, and only if, the operation documents it."""
    assert (response.status_code == status) is (status in operation.statuses), response.text


def is_sentence(text: str) -> bool:
    """Return whether a text starts with a capital letter and ends with a period."""
    return text[:1].isupper() and text.endswith(".")


@each_operation
def test_every_operation_is_described(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation.name)
    assert operation.spec["summary"]
    assert is_sentence(operation.spec["description"])


def test_every_tag_is_described() -> None:
    used = {tag for operation in OPERATIONS for tag in operation.spec["tags"]}
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert described.keys() == used
    assert all(map(is_sentence, described.values())), described


def test_api_has_version_and_description() -> None:
    assert re.fullmatch(r"\d+(\.\w+)+", DOCUMENT["info"]["version"])
    # Any text of `pyproject.toml`, then the conventions of the API.
    assert re.fullmatch(r".+\n\nErrors are .+\.", DOCUMENT["info"]["description"], re.DOTALL)


def test_operation_ids_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_of_a_request_body_has_an_example(name: str) -> None:
    schema = SCHEMAS[name]
    is_request_body = schema.get("additionalProperties") is False
    if is_request_body:
        assert example_body(schema).keys() == schema["properties"].keys()


@each_operation
async def test_unauthenticated_request_is_401_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    response = await send_example(client, operation)
    assert_status_is_documented(response, operation, 401)
    if operation not in PUBLIC_OPERATIONS:
        assert response.status_code == 401


@each_public_operation
async def test_example_is_valid(client: AsyncClient, operation: Operation) -> None:
    response = await send_example(client, operation)
    assert response.status_code not in {400, 413, 422}, response.text


@each_public_operation
async def test_unknown_id_is_404_as_documented(client: AsyncClient, operation: Operation) -> None:
    response = await send_example(client, operation)
    assert_status_is_documented(response, operation, 404)


@each_public_operation
async def test_invalid_values_are_422_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    query = {parameter["name"]: "\0" for parameter in operation.spec.get("parameters", [])}
    response = await client.request(
        operation.method,
        operation.fill_path("invalid-id"),
        params=query,
        json={"unknown": "field"} if operation.body_type else None,
    )
    assert_status_is_documented(response, operation, 422)


@each_public_operation
async def test_unreadable_body_is_400_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    is_json = operation.body_type == "application/json"
    media_type = "application/json" if is_json else "multipart/form-data"
    response = await send_content(client, operation, b'"\xff"', **{"Content-Type": media_type})
    assert_status_is_documented(response, operation, 400)


@each_public_operation
async def test_too_large_body_is_413_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    # More than the default of `MAX_BODY_SIZE`.
    response = await send_content(client, operation, b" " * 2_000_000)
    assert_status_is_documented(response, operation, 413)


@each_public_operation
async def test_compressed_body_is_415_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    content = gzip.compress(b"{}")
    response = await send_content(client, operation, content, **{"Content-Encoding": "gzip"})
    assert_status_is_documented(response, operation, 415)
    if response.status_code == 415:
        assert response.headers["Accept-Encoding"] == "identity"


@each_public_operation
async def test_unreachable_database_is_503_as_documented(
    client_without_database: AsyncClient, operation: Operation
) -> None:
    response = await send_example(client_without_database, operation)
    assert_status_is_documented(response, operation, 503)


@each_public_operation
async def test_unhandled_error_is_500_as_documented(
    app: FastAPI, client: AsyncClient, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every dependency that uses the state of the application fails. `/livez` has none.
    monkeypatch.setattr(app, "state", State())
    response = await send_example(client, operation)
    expected = 200 if operation.name == "livez" else 500
    assert response.status_code == expected
    assert expected in operation.statuses
