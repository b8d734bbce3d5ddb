"""The document says what happens, and what it says happens.

Every client of the tests compares each answer with the document; here, each operation is brought
to give the answers that do not depend on what it does.
"""

import re
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.db import Database
from tests.documented import DOCUMENT, NOWHERE, OPERATIONS, Operation

each_operation = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda operation: operation.description["operationId"]
)

NOBODY = UUID(int=0)


def statuses(operation: Operation) -> set[int]:
    return {int(status) for status in operation.description["responses"]}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, looked up if it is a reference."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def example_of(schema: dict[str, Any]) -> dict[str, Any]:
    """A body made of the examples of its fields."""
    fields = resolved(schema)["properties"]
    return {name: field["examples"][0] for name, field in fields.items()}


async def send(client: AsyncClient, operation: Operation, **options: Any) -> Response:
    """Ask for something that is not there, with a body from the document if there is one."""
    content = operation.description.get("requestBody", {}).get("content", {})
    for media_type, description in content.items():
        form = "json" if media_type == "application/json" else "data"
        if not options:
            options[form] = example_of(description["schema"])
    return await client.request(operation.method, operation.target(NOBODY), **options)


@pytest.fixture
async def client_of_nothing(app: FastAPI, client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """A client of a service whose database is away."""
    async with Database(NOWHERE.database) as app.state.database:
        yield client


@each_operation
def test_every_operation_has_a_name_and_a_description(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation.description["operationId"])
    assert operation.description["description"]


def test_every_name_is_used_once() -> None:
    names = [operation.description["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names)


@each_operation
async def test_every_example_is_accepted(client: AsyncClient, operation: Operation) -> None:
    response = await send(client, operation)
    assert response.status_code not in {400, 413, 422}, response.text


@each_operation
async def test_every_id_may_be_unknown(client: AsyncClient, operation: Operation) -> None:
    response = await send(client, operation)
    assert (response.status_code == 404) == (404 in statuses(operation))


@each_operation
async def test_every_refusal_of_a_value_happens(client: AsyncClient, operation: Operation) -> None:
    query = {parameter["name"]: "\0" for parameter in operation.description.get("parameters", [])}
    has_body = "requestBody" in operation.description
    response = await client.request(
        operation.method,
        operation.target("no-id"),
        params=query,
        json={"no": "field"} if has_body else None,
    )
    assert (response.status_code == 422) == (422 in statuses(operation)), response.text


@each_operation
async def test_every_body_may_be_no_text(client: AsyncClient, operation: Operation) -> None:
    headers = {"Content-Type": "application/json"}
    response = await send(client, operation, content=b'"\xff"', headers=headers)
    assert (response.status_code == 400) == (400 in statuses(operation))


@each_operation
async def test_every_body_may_be_too_large(client: AsyncClient, operation: Operation) -> None:
    headers = {"Content-Type": "application/json"}
    response = await send(client, operation, content=b" " * 2_000_000, headers=headers)
    assert (response.status_code == 413) == (413 in statuses(operation))


@each_operation
async def test_every_operation_that_needs_the_database_may_do_without(
    client_of_nothing: AsyncClient, operation: Operation
) -> None:
    response = await send(client_of_nothing, operation)
    assert (response.status_code == 503) == (503 in statuses(operation))


@each_operation
async def test_every_operation_may_fail(
    app: FastAPI, client: AsyncClient, operation: Operation
) -> None:
    app.state.database = app.state.readiness = SimpleNamespace()
    response = await send(client, operation)
    assert response.status_code in statuses(operation) & {200, 500}


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_field_that_is_asked_for_has_an_example(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    if schema.get("additionalProperties") is False:
        assert example_of(schema).keys() == schema["properties"].keys()


def test_what_is_created_is_linked_to_what_can_be_done_with_it() -> None:
    for operation in OPERATIONS:
        for link in operation.description["responses"].get("201", {}).get("links", {}).values():
            (linked,) = (
                found
                for found in OPERATIONS
                if found.description["operationId"] == link["operationId"]
            )
            for parameter in link["parameters"]:
                assert parameter in linked.path
