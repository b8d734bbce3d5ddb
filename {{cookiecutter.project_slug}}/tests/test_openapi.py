"""The OpenAPI document is complete and correct.

The clients of all tests check that the document lists each response (`assert_documented`). The
tests here check the opposite: each documented error response can occur. They run once for each
operation, so they also check the routes of a new resource.
"""

import gzip
import re
from collections.abc import AsyncIterator
from operator import attrgetter

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from starlette.datastructures import State

from app.db import Database
from tests.openapi_contract import DOCUMENT, OPERATIONS, UNREACHABLE, Operation
from tests.openapi_examples import build_request, send, send_content, send_example

# Most tests leave out other operations, which respond with 401: the requests have no access token.
PUBLIC_OPERATIONS = [operation for operation in OPERATIONS if "security" not in operation.spec]

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
each_public_operation = pytest.mark.parametrize(
    "operation", PUBLIC_OPERATIONS, ids=attrgetter("name")
)
# A stream without a body reads the request to notice that the client disconnects.
each_public_operation_with_body = pytest.mark.parametrize(
    "operation",
    [operation for operation in PUBLIC_OPERATIONS if operation.body_type],
    ids=attrgetter("name"),
)


@pytest.fixture
async def client_without_database(app: FastAPI, client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """Yield a client of the application with an unreachable database."""
    async with Database(UNREACHABLE.database) as database:
        app.state.database = database
        yield client


def assert_status_is_documented(response: Response, operation: Operation, status: int) -> None:
    """Check that the response has `status` if, and only if, the operation documents it."""
    assert (response.status_code == status) is (status in operation.statuses), (
        f"{operation.name} responds with {response.status_code} and documents "
        f"{sorted(operation.statuses)}: {response.text}"
    )


def is_sentence(text: str) -> bool:
    """Return whether a text starts with a capital letter and ends with a period."""
    return text[:1].isupper() and text.endswith(".")


@each_operation
def test_every_operation_is_described(operation: Operation) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", operation.name), (
        "name the function in snake_case"
    )
    assert operation.spec["summary"]
    assert is_sentence(operation.spec.get("description", "")), (
        f"write the docstring of `{operation.name}` as sentences: it is the description in OpenAPI"
    )


def test_every_tag_is_described() -> None:
    used = {tag for operation in OPERATIONS for tag in operation.spec.get("tags", ["no tag"])}
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert described.keys() == used, "set `tags` of the `APIRouter`, not of a route"
    assert all(map(is_sentence, described.values())), (
        f"the docstring of a route module describes its tag: {described}"
    )


def test_api_has_version_and_description() -> None:
    assert re.fullmatch(r"\d+(\.\w+)+", DOCUMENT["info"]["version"])
    # Any text of `pyproject.toml`, then the conventions of the API.
    assert re.fullmatch(r".+\n\nErrors are .+\.", DOCUMENT["info"]["description"], re.DOTALL)


def test_operation_ids_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


@each_operation
def test_required_values_of_a_request_have_examples(operation: Operation) -> None:
    # Fails with a message that names the value.
    build_request(AsyncClient(base_url="http://test"), operation)


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
    assert response.status_code not in {400, 413, 422, 500}, (
        f"the examples of {operation.name} are not valid: {response.text}"
    )


@each_public_operation
async def test_unknown_id_is_404_as_documented(client: AsyncClient, operation: Operation) -> None:
    response = await send_example(client, operation)
    # Without an ID in the path, a documented 404 depends on the rest of the request.
    if "{" in operation.path or response.status_code == 404:
        assert_status_is_documented(response, operation, 404)


@each_public_operation
async def test_invalid_values_are_422_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    query = {parameter["name"]: "\0" for parameter in operation.spec.get("parameters", [])}
    request = client.build_request(
        operation.method,
        operation.fill_path("invalid-id"),
        params=query,
        json={"unknown": "field"} if operation.body_type else None,
    )
    response = await send(client, request)
    assert_status_is_documented(response, operation, 422)


@each_public_operation_with_body
async def test_unreadable_body_is_400_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    is_json = operation.body_type == "application/json"
    media_type = "application/json" if is_json else "multipart/form-data"
    response = await send_content(client, operation, b'"\xff"', **{"Content-Type": media_type})
    assert_status_is_documented(response, operation, 400)


@each_public_operation_with_body
async def test_too_large_body_is_413_as_documented(
    client: AsyncClient, operation: Operation
) -> None:
    # The declared length exceeds every limit.
    response = await send_content(client, operation, b"", **{"Content-Length": str(10**12)})
    assert_status_is_documented(response, operation, 413)


@each_public_operation_with_body
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
    # An operation that uses no database documents 503 because of shutdowns.
    if response.status_code >= 400:
        assert_status_is_documented(response, operation, 503)


@each_public_operation
async def test_unhandled_error_is_500_as_documented(
    app: FastAPI, client: AsyncClient, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every dependency that uses the state of the application fails. `/livez` has none.
    monkeypatch.setattr(app, "state", State())
    response = await send_example(client, operation)
    if response.status_code >= 400:
        assert response.status_code == 500
    assert 500 in operation.statuses
