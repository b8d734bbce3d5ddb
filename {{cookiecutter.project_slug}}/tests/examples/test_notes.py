"""Notes over HTTP: each user sees their own, and nothing tells of those of others."""

import re
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.api.pagination import INTEGER_CURSOR
from tests.auth.helpers import new_user

NOTES = "/api/v1/notes"


@pytest.fixture
async def ada(client: AsyncClient) -> dict[str, str]:
    """What a user sends."""
    return await new_user(client, "ada@example.com")


@pytest.fixture
async def bob(client: AsyncClient) -> dict[str, str]:
    """What another user sends."""
    return await new_user(client, "bob@example.com")


async def create(client: AsyncClient, user: dict[str, str], **changes: Any) -> dict[str, Any]:
    response = await client.post(NOTES, json={"title": "A note", **changes}, headers=user)
    assert response.status_code == 201, response.text
    note: dict[str, Any] = response.json()
    return note


async def listed(client: AsyncClient, user: dict[str, str], query: str = "") -> list[str]:
    response = await client.get(f"{NOTES}?{query}", headers=user)
    assert response.status_code == 200, response.text
    return [note["title"] for note in response.json()]


async def test_a_new_note_is_where_its_location_says(
    client: AsyncClient, ada: dict[str, str]
) -> None:
    new = {"title": "Ärger", "description": "\U0001f600 \n"}
    response = await client.post(NOTES, json=new, headers=ada)
    note = response.json()
    assert response.status_code == 201
    assert note.keys() == {"id", "title", "description", "created_at"}
    assert isinstance(note["id"], int)
    assert response.headers["Location"] == f"{NOTES}/{note['id']}"
    assert (await client.get(response.headers["Location"], headers=ada)).json() == note
    assert (await client.get(NOTES, headers=ada)).json() == [note]


async def test_another_user_finds_nothing_and_changes_nothing(
    client: AsyncClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    note = await create(client, ada, title="secret", description="words")
    for target in (f"{NOTES}/{note['id']}", f"{NOTES}/{2**62}"):
        for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("PATCH", {})):
            response = await client.request(method, target, json=body, headers=bob)
            assert response.status_code == 404
            assert response.json()["detail"] == "Not found."
        assert (await client.delete(target, headers=bob)).status_code == 404
    assert await listed(client, bob) == await listed(client, bob, "q=secret") == []
    after = INTEGER_CURSOR.encode(note["id"] + 1)
    assert await listed(client, bob, f"after={after}") == []
    assert (await client.get(f"{NOTES}/{note['id']}", headers=ada)).json() == note


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", ""), ("GET", "/1"), ("PATCH", "/1"), ("DELETE", "/1")],
)
async def test_nobody_is_let_in(client: AsyncClient, method: str, path: str) -> None:
    response = await client.request(method, NOTES + path, json={"title": "x"})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_description_is_kept_changed_or_taken_away(
    client: AsyncClient, ada: dict[str, str]
) -> None:
    note = await create(client, ada, description="words")
    target = f"{NOTES}/{note['id']}"
    for change, description in (
        ({}, "words"),
        ({"title": "Another"}, "words"),
        ({"description": ""}, ""),
        ({"description": None}, None),
        ({"description": "more"}, "more"),
    ):
        response = await client.patch(target, json=change, headers=ada)
        assert (response.status_code, response.json()["description"]) == (200, description)
    response = await client.patch(target, json={"title": None}, headers=ada)
    assert response.status_code == 422


async def test_what_is_deleted_is_gone(client: AsyncClient, ada: dict[str, str]) -> None:
    target = f"{NOTES}/{(await create(client, ada))['id']}"
    assert (await client.delete(target, headers=ada)).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        response = await client.request(method, target, json={}, headers=ada)
        assert response.status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("title", value) for value in ("", "x" * 51, "a\0b", 5, None)),
        *(("description", value) for value in ("x" * 201, "\0", 5)),
        ("owner_id", "00000000-0000-0000-0000-000000000000"),
    ],
)
async def test_what_cannot_be_stored_is_refused(
    client: AsyncClient, ada: dict[str, str], field: str, value: object
) -> None:
    response = await client.post(NOTES, json={"title": "x", field: value}, headers=ada)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 400, "first", "1.5", "true"])
async def test_an_id_that_cannot_be_is_refused(
    client: AsyncClient, ada: dict[str, str], number: str
) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        response = await client.request(method, f"{NOTES}/{number}", json={}, headers=ada)
        assert response.status_code == 422


async def test_the_last_id_is_merely_not_there(client: AsyncClient, ada: dict[str, str]) -> None:
    assert (await client.get(f"{NOTES}/{2**63 - 1}", headers=ada)).status_code == 404


async def test_pages_go_from_the_newest_to_the_oldest(
    client: AsyncClient, ada: dict[str, str], bob: dict[str, str]
) -> None:
    for number in range(5):
        await create(client, ada, title=f"whale {number}")
        await create(client, bob, title=f"whale of bob {number}")
    pages = []
    target = f"{NOTES}?q=whale&limit=2"
    while target:
        response = await client.get(target, headers=ada)
        pages.append([note["title"][-1] for note in response.json()])
        target = response.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_search_finds_words_in_title_and_description(
    client: AsyncClient, ada: dict[str, str]
) -> None:
    await create(client, ada, title="one", description="About whales")
    await create(client, ada, title="two whales")
    await create(client, ada, title="three")
    assert await listed(client, ada, "q=whale") == ["two whales", "one"]
    assert await listed(client, ada, "q=whale%20-two") == ["one"]
    assert await listed(client, ada, "q=") == ["three", "two whales", "one"]


@pytest.mark.parametrize("q", ["-" * 33, "- " * 100, "-(" * 100, "-unicorn"])
async def test_a_search_without_a_word_finds_nothing(
    client: AsyncClient, ada: dict[str, str], q: str
) -> None:
    await create(client, ada)
    assert await listed(client, ada, f"q={q}") == []


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63)])
async def test_a_cursor_leads_back_to_its_key(
    client: AsyncClient, ada: dict[str, str], key: int
) -> None:
    cursor = INTEGER_CURSOR.encode(key)
    assert re.fullmatch(INTEGER_CURSOR.pattern, cursor)
    assert INTEGER_CURSOR.decode(cursor) == key
    assert await listed(client, ada, f"after={cursor}") == []


@pytest.mark.parametrize("cursor", ["x", "2" + "A" * 10 + "B", "1" + "A" * 22, ""])
async def test_a_cursor_that_is_none_is_refused(
    client: AsyncClient, ada: dict[str, str], cursor: str
) -> None:
    assert (await client.get(f"{NOTES}?after={cursor}", headers=ada)).status_code == 422
