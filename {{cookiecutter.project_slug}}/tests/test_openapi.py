"""The document says what happens, and what it says happens.

Every client of the tests compares each answer with the document; here, each operation is brought
to give the answers that do not depend on what it does.
"""

import gzip
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from starlette.datastructures import State

from app.db import Database
from tests.openapi_contract import DOCUMENT, NOWHERE, OPERATIONS, Operation

# Those that ask who is asking answer 401, whatever else there is to say.
OPEN = [operation for operation in OPERATIONS if "security" not in operation.description]


def name_of(operation: Operation) -> str:
    name: str = operation.description["operationId"]
    return name


each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
each_open_operation = pytest.mark.parametrize("operation", OPEN, ids=name_of)

NOBODY = UUID(int=0)


def statuses(operation: Operation) -> set[int]:
    return {int(status) for status in operation.description["responses"]}


def media_type_of(operation: Operation) -> str | None:
    """What the body of a request is written in; None for a request without."""
    content = operation.description.get("requestBody", {}).get("content", {})
    return next(iter(content), None)


def example_of(schema: dict[str, Any]) -> dict[str, Any]:
    """A body made of the examples of its fields."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    forms = {name: [field, *field.get("anyOf", [])] for name, field in schema["properties"].items()}
    return {
        name: form["examples"][0]
        for name, alternatives in forms.items()
        for form in alternatives
        if "examples" in form
    }


async def send(client: AsyncClient, operation: Operation, **options: Any) -> Response:
    """Ask for something that is not there, with a body from the document if there is one."""
    media_type = media_type_of(operation)
    if media_type and not options:
        schema = operation.description["requestBody"]["content"][media_type]["schema"]
        form = "json" if media_type == "application/json" else "data"
        options[form] = example_of(schema)
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
async def test_every_operation_that_asks_who_you_are_says_so(
    client: AsyncClient, operation: Operation
) -> None:
    response = await send(client, operation)
    assert (response.status_code == 401) == (401 in statuses(operation))
    assert operation in OPEN or response.status_code == 401


@each_open_operation
async def test_every_example_is_accepted(client: AsyncClient, operation: Operation) -> None:
    response = await send(client, operation)
    assert response.status_code not in {400, 413, 422}, response.text


@each_open_operation
async def test_every_id_may_be_unknown(client: AsyncClient, operation: Operation) -> None:
    response = await send(client, operation)
    assert (response.status_code == 404) == (404 in statuses(operation))


@each_open_operation
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


@each_open_operation
async def test_every_body_may_be_unreadable(client: AsyncClient, operation: Operation) -> None:
    is_json = media_type_of(operation) == "application/json"
    headers = {"Content-Type": "application/json" if is_json else "multipart/form-data"}
    response = await send(client, operation, content=b'"\xff"', headers=headers)
    assert (response.status_code == 400) == (400 in statuses(operation))


@each_open_operation
async def test_every_body_may_be_too_large(client: AsyncClient, operation: Operation) -> None:
    headers = {"Content-Type": media_type_of(operation) or "text/plain"}
    response = await send(client, operation, content=b" " * 2_000_000, headers=headers)
    assert (response.status_code == 413) == (413 in statuses(operation))


@each_open_operation
async def test_every_body_may_be_compressed(client: AsyncClient, operation: Operation) -> None:
    headers = {"Content-Type": media_type_of(operation) or "text/plain", "Content-Encoding": "gzip"}
    response = await send(client, operation, content=gzip.compress(b"{}"), headers=headers)
    assert (response.status_code == 415) == (415 in statuses(operation))
    if response.status_code == 415:
        assert response.headers["Accept-Encoding"] == "identity"


@each_open_operation
async def test_every_operation_that_needs_the_database_may_do_without(
    client_of_nothing: AsyncClient, operation: Operation
) -> None:
    response = await send(client_of_nothing, operation)
    assert (response.status_code == 503) == (503 in statuses(operation))


@each_open_operation
async def test_every_operation_may_fail(
    app: FastAPI, client: AsyncClient, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "state", State({"request": "without anything"}))
    response = await send(client, operation)
    assert response.status_code in statuses(operation) & {200, 500}


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_field_that_is_asked_for_has_an_example(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    if schema.get("additionalProperties") is False:
        assert example_of(schema).keys() == schema["properties"].keys()


def test_what_is_created_is_linked_to_what_can_be_done_with_it() -> None:
    for operation in OPERATIONS:
        if created := operation.description["responses"].get("201"):
            below = {
                name_of(found): found.path
                for found in OPERATIONS
                if found.path.startswith(operation.path + "/{")
            }
            links = created.get("links", {})
            assert links.keys() == below.keys()
            for name, path in below.items():
                assert links[name]["operationId"] == name
                assert all("{" + given + "}" in path for given in links[name]["parameters"])
