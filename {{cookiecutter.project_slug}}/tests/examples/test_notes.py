"""Routes of notes: users can access only their own notes; those of others are not found."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.api.cursors import CursorCodec
from app.db.repositories.notes import NoteReader
from tests.auth.helpers import new_user
from tests.rows import refer_to_rows

NOTES = "/api/v1/notes"


@pytest.fixture
async def alice(client: AsyncClient) -> dict[str, str]:
    """Register a user and return her request headers."""
    return await new_user(client, "alice@example.com")


@pytest.fixture
async def bob(client: AsyncClient) -> dict[str, str]:
    """Register another user and return his request headers."""
    return await new_user(client, "bob@example.com")


async def create(client: AsyncClient, user: dict[str, str], **changes: Any) -> dict[str, Any]:
    response = await client.post(NOTES, json={"title": "A note", **changes}, headers=user)
    assert response.status_code == 201, response.text
    note: dict[str, Any] = response.json()
    return note


async def list_titles(client: AsyncClient, user: dict[str, str], query: str = "") -> list[str]:
    response = await client.get(f"{NOTES}?{query}", headers=user)
    assert response.status_code == 200, response.text
    return [note["title"] for note in response.json()]


async def test_create_returns_note_and_its_location(
    client: AsyncClient, alice: dict[str, str]
) -> None:
    new = {"title": "Ärger", "description": "\U0001f600 \n"}
    response = await client.post(NOTES, json=new, headers=alice)
    note = response.json()
    assert response.status_code == 201
    assert note.keys() == {"id", "title", "description", "created_at"}
    assert isinstance(note["id"], int)
    assert response.headers["Location"] == f"{NOTES}/{note['id']}"
    assert (await client.get(response.headers["Location"], headers=alice)).json() == note
    assert (await client.get(NOTES, headers=alice)).json() == [note]


async def test_notes_of_other_users_are_404(
    client: AsyncClient, alice: dict[str, str], bob: dict[str, str]
) -> None:
    note = await create(client, alice, title="secret", description="words")
    for target in (f"{NOTES}/{note['id']}", f"{NOTES}/{2**62}"):
        for method, body in (("GET", None), ("PATCH", {"title": "x"}), ("PATCH", {})):
            response = await client.request(method, target, json=body, headers=bob)
            assert response.status_code == 404
            assert response.json()["detail"] == "Not found."
        assert (await client.delete(target, headers=bob)).status_code == 404
    assert await list_titles(client, bob) == await list_titles(client, bob, "q=secret") == []
    after = CursorCodec(NoteReader.rows).encode(None, SimpleNamespace(id=note["id"] + 1))
    assert await list_titles(client, bob, f"after={after}") == []
    assert (await client.get(f"{NOTES}/{note['id']}", headers=alice)).json() == note


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", ""), ("GET", "/1"), ("PATCH", "/1"), ("DELETE", "/1")],
)
async def test_notes_require_authentication(client: AsyncClient, method: str, path: str) -> None:
    del client.headers["Authorization"]
    response = await client.request(method, NOTES + path, json={"title": "x"})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_update_can_keep_change_or_clear_description(
    client: AsyncClient, alice: dict[str, str]
) -> None:
    note = await create(client, alice, description="words")
    target = f"{NOTES}/{note['id']}"
    for change, description in (
        ({}, "words"),
        ({"title": "Another"}, "words"),
        ({"description": ""}, ""),
        ({"description": None}, None),
        ({"description": "more"}, "more"),
    ):
        response = await client.patch(target, json=change, headers=alice)
        assert (response.status_code, response.json()["description"]) == (200, description)
    response = await client.patch(target, json={"title": None}, headers=alice)
    assert response.status_code == 422


async def test_deleted_note_is_404(client: AsyncClient, alice: dict[str, str]) -> None:
    target = f"{NOTES}/{(await create(client, alice))['id']}"
    assert (await client.delete(target, headers=alice)).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        response = await client.request(method, target, json={}, headers=alice)
        assert response.status_code == 404


async def test_note_with_references_cannot_be_deleted(
    app: FastAPI, client: AsyncClient, alice: dict[str, str]
) -> None:
    note = await create(client, alice)
    await refer_to_rows(app, "notes")
    response = await client.delete(f"{NOTES}/{note['id']}", headers=alice)
    assert response.status_code == 409
    assert response.json()["type"] == "/problems/still-referenced"
    assert await list_titles(client, alice) == ["A note"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("title", value) for value in ("", "x" * 51, "a\0b", 5, None)),
        *(("description", value) for value in ("x" * 201, "\0", 5)),
        ("owner_id", "00000000-0000-0000-0000-000000000000"),
    ],
)
async def test_invalid_field_is_rejected(
    client: AsyncClient, alice: dict[str, str], field: str, value: object
) -> None:
    response = await client.post(NOTES, json={"title": "x", field: value}, headers=alice)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 400, "first", "1.5", "true"])
async def test_malformed_id_is_rejected(
    client: AsyncClient, alice: dict[str, str], number: str
) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        response = await client.request(method, f"{NOTES}/{number}", json={}, headers=alice)
        assert response.status_code == 422


async def test_largest_id_is_404(client: AsyncClient, alice: dict[str, str]) -> None:
    assert (await client.get(f"{NOTES}/{2**63 - 1}", headers=alice)).status_code == 404


async def test_links_lead_from_newest_to_oldest(
    client: AsyncClient, alice: dict[str, str], bob: dict[str, str]
) -> None:
    for number in range(5):
        await create(client, alice, title=f"whale {number}")
        await create(client, bob, title=f"whale of bob {number}")
    pages = []
    target: str | None = f"{NOTES}?q=whale&limit=2"
    while target:
        response = await client.get(target, headers=alice)
        pages.append([note["title"][-1] for note in response.json()])
        target = response.links.get("next", {}).get("url")
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_search_finds_words_in_title_and_description(
    client: AsyncClient, alice: dict[str, str]
) -> None:
    await create(client, alice, title="one", description="About whales")
    await create(client, alice, title="two whales")
    await create(client, alice, title="three")
    assert await list_titles(client, alice, "q=whale") == ["two whales", "one"]
    assert await list_titles(client, alice, "q=whale%20-two") == ["one"]
    assert await list_titles(client, alice, "q=") == ["three", "two whales", "one"]


@pytest.mark.parametrize("q", ["-" * 33, "- " * 100, "-(" * 100, "-unicorn"])
async def test_search_without_required_word_finds_nothing(
    client: AsyncClient, alice: dict[str, str], q: str
) -> None:
    await create(client, alice)
    assert await list_titles(client, alice, f"q={q}") == []


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63)])
async def test_every_key_is_a_position(
    client: AsyncClient, alice: dict[str, str], key: int
) -> None:
    cursor = CursorCodec(NoteReader.rows).encode(None, SimpleNamespace(id=key))
    assert await list_titles(client, alice, f"after={cursor}") == []


@pytest.mark.parametrize("cursor", ["x", "2" + "A" * 10 + "B", "1" + "A" * 22, ""])
async def test_invalid_cursor_is_rejected(
    client: AsyncClient, alice: dict[str, str], cursor: str
) -> None:
    assert (await client.get(f"{NOTES}?after={cursor}", headers=alice)).status_code == 422
