"""Routes of articles."""

from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from tests.rows import refer_to_rows

ARTICLES = "/api/v1/articles"
UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"


async def create(client: AsyncClient, **changes: Any) -> dict[str, Any]:
    values = {"title": "A title", "slug": "a-slug", "text": "Some words.", **changes}
    response = await client.post(ARTICLES, json=values)
    assert response.status_code == 201, response.text
    article: dict[str, Any] = response.json()
    return article


async def list_slugs(client: AsyncClient, query: str = "") -> list[str]:
    response = await client.get(f"{ARTICLES}?{query}")
    assert response.status_code == 200, response.text
    return [article["slug"] for article in response.json()]


def assert_already_exists(response: Response, field: str) -> None:
    assert response.status_code == 409
    assert response.json()["field"] == field
    assert response.json()["type"] == "/problems/already-exists"


async def test_empty_list(client: AsyncClient) -> None:
    response = await client.get(f"{ARTICLES}/")
    assert (response.status_code, response.json()) == (200, [])


async def test_create_returns_article_and_its_location(client: AsyncClient) -> None:
    new = {"title": "Ärger", "slug": "arger", "text": "\U0001f600 \n"}
    response = await client.post(ARTICLES, json=new)
    article = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{ARTICLES}/{article['id']}"
    assert article.items() >= new.items()
    assert article["created_at"].endswith("Z")
    assert (await client.get(response.headers["Location"])).json() == article
    assert (await client.get(ARTICLES)).json() == [article]


async def test_duplicate_slug_is_409(client: AsyncClient) -> None:
    await create(client)
    other = await create(client, slug="other")
    again = {"title": "Again", "slug": "a-slug", "text": "x"}
    assert_already_exists(await client.post(ARTICLES, json=again), "slug")
    change = await client.patch(f"{ARTICLES}/{other['id']}", json={"slug": "a-slug"})
    assert_already_exists(change, "slug")
    assert await list_slugs(client) == ["other", "a-slug"]


async def test_update_keeps_omitted_fields(client: AsyncClient) -> None:
    article = await create(client)
    target = f"{ARTICLES}/{article['id']}"
    response = await client.patch(target, json={"title": "Another"})
    assert (response.status_code, response.json()) == (200, {**article, "title": "Another"})
    assert (await client.patch(target, json={})).json() == {**article, "title": "Another"}
    assert (await client.get(target)).json() == {**article, "title": "Another"}


async def test_update_to_null_is_rejected(client: AsyncClient) -> None:
    article = await create(client)
    response = await client.patch(f"{ARTICLES}/{article['id']}", json={"title": None})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "title"]


async def test_deleted_article_is_404(client: AsyncClient) -> None:
    target = f"{ARTICLES}/{(await create(client))['id']}"
    response = await client.delete(target)
    assert (response.status_code, response.content) == (204, b"")
    assert (await client.get(target)).status_code == 404
    assert (await client.delete(target)).status_code == 404
    assert (await client.patch(target, json={})).status_code == 404
    assert await list_slugs(client) == []


async def test_article_with_references_cannot_be_deleted(app: FastAPI, client: AsyncClient) -> None:
    article = await create(client)
    await refer_to_rows(app, "articles")
    response = await client.delete(f"{ARTICLES}/{article['id']}")
    assert response.status_code == 409
    assert response.json()["type"] == "/problems/still-referenced"
    assert await list_slugs(client) == ["a-slug"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 66),
        ("title", "a\0b"),
        ("title", 5),
        ("slug", ""),
        ("slug", "x" * 66),
        ("slug", "Upper"),
        ("slug", "a--b"),
        ("slug", "-a"),
        ("slug", "a\n"),
        ("text", ""),
        ("text", "x" * 50_001),
        ("text", "\0"),
        ("id", UNKNOWN_ID),
    ],
)
async def test_invalid_field_is_rejected(client: AsyncClient, field: str, value: object) -> None:
    new = {"title": "A title", "slug": "a-slug", "text": "x", field: value}
    response = await client.post(ARTICLES, json=new)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", field]


async def test_longest_values_are_stored(client: AsyncClient) -> None:
    # Words of one character, all different, result in the largest search vector.
    text = "".join(f"{chr(0x10000 + number)} " for number in range(25_000))
    article = await create(client, title="\U0001f600" * 65, slug="x" * 65, text=text)
    assert article["text"] == text


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_malformed_id_is_rejected(client: AsyncClient, method: str) -> None:
    response = await client.request(method, f"{ARTICLES}/first", json={})
    assert response.status_code == 422


async def test_allow_header_lists_all_methods_of_the_path(client: AsyncClient) -> None:
    response = await client.put(f"{ARTICLES}/{UNKNOWN_ID}")
    assert response.status_code == 405
    assert response.headers["Allow"] == "DELETE, GET, PATCH"
