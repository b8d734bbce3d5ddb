"""Articles over HTTP."""

from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import Select

ARTICLES = "/api/v1/articles"
NOBODY = "00000000-0000-0000-0000-000000000000"


async def create(client: AsyncClient, **changes: Any) -> dict[str, Any]:
    values = {"title": "A title", "slug": "a-slug", "text": "Some words.", **changes}
    response = await client.post(ARTICLES, json=values)
    assert response.status_code == 201, response.text
    article: dict[str, Any] = response.json()
    return article


async def listed(client: AsyncClient, query: str = "") -> list[str]:
    response = await client.get(f"{ARTICLES}?{query}")
    assert response.status_code == 200, response.text
    return [article["slug"] for article in response.json()]


def assert_taken(response: Response, field: str) -> None:
    assert response.status_code == 409
    assert response.json()["field"] == field
    assert response.json()["type"] == "/problems/already-exists"


async def test_there_are_none_at_first(client: AsyncClient) -> None:
    response = await client.get(f"{ARTICLES}/")
    assert (response.status_code, response.json()) == (200, [])


async def test_a_new_article_is_where_its_location_says(client: AsyncClient) -> None:
    new = {"title": "Ärger", "slug": "arger", "text": "\U0001f600 \n"}
    response = await client.post(ARTICLES, json=new)
    article = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{ARTICLES}/{article['id']}"
    assert article.items() >= new.items()
    assert article["created_at"].endswith("Z")
    assert (await client.get(response.headers["Location"])).json() == article
    assert (await client.get(ARTICLES)).json() == [article]


async def test_a_slug_is_taken_once(client: AsyncClient) -> None:
    await create(client)
    other = await create(client, slug="other")
    again = {"title": "Again", "slug": "a-slug", "text": "x"}
    assert_taken(await client.post(ARTICLES, json=again), "slug")
    change = await client.patch(f"{ARTICLES}/{other['id']}", json={"slug": "a-slug"})
    assert_taken(change, "slug")
    assert await listed(client) == ["other", "a-slug"]


async def test_a_change_keeps_what_it_leaves_out(client: AsyncClient) -> None:
    article = await create(client)
    target = f"{ARTICLES}/{article['id']}"
    response = await client.patch(target, json={"title": "Another"})
    assert (response.status_code, response.json()) == (200, {**article, "title": "Another"})
    assert (await client.patch(target, json={})).json() == {**article, "title": "Another"}
    assert (await client.get(target)).json() == {**article, "title": "Another"}


async def test_a_change_cannot_take_a_value_away(client: AsyncClient) -> None:
    article = await create(client)
    response = await client.patch(f"{ARTICLES}/{article['id']}", json={"title": None})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "title"]


async def test_what_is_deleted_is_gone(client: AsyncClient) -> None:
    target = f"{ARTICLES}/{(await create(client))['id']}"
    response = await client.delete(target)
    assert (response.status_code, response.content) == (204, b"")
    assert (await client.get(target)).status_code == 404
    assert (await client.delete(target)).status_code == 404
    assert (await client.patch(target, json={})).status_code == 404
    assert await listed(client) == []


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
        ("id", NOBODY),
    ],
)
async def test_what_cannot_be_stored_is_refused(
    client: AsyncClient, field: str, value: object
) -> None:
    new = {"title": "A title", "slug": "a-slug", "text": "x", field: value}
    response = await client.post(ARTICLES, json=new)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", field]


async def test_the_longest_values_are_stored(client: AsyncClient) -> None:
    # A word of its own for every two characters is what fills a search index.
    text = "".join(f"{chr(0x10000 + number)} " for number in range(25_000))
    article = await create(client, title="\U0001f600" * 65, slug="x" * 65, text=text)
    assert article["text"] == text


async def test_pages_go_from_the_newest_to_the_oldest(client: AsyncClient) -> None:
    for number in range(5):
        await create(client, slug=f"number-{number}")
    pages = []
    target = f"{ARTICLES}?limit=2"
    while target:
        response = await client.get(target)
        pages.append([article["slug"] for article in response.json()])
        target = response.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert pages == [["number-4", "number-3"], ["number-2", "number-1"], ["number-0"]]


async def test_articles_that_come_meanwhile_shift_no_page(client: AsyncClient) -> None:
    for number in range(4):
        await create(client, slug=f"number-{number}")
    first = await client.get(f"{ARTICLES}?limit=2")
    await create(client, slug="late")
    second = await client.get(first.headers["Link"].partition(">")[0].lstrip("<"))
    assert [article["slug"] for article in second.json()] == ["number-1", "number-0"]


async def test_a_search_finds_words_in_title_and_text(client: AsyncClient) -> None:
    await create(client, slug="one", title="About whales")
    await create(client, slug="two", text="A whale sings.")
    await create(client, slug="three", text="Nothing of the kind.")
    assert await listed(client, "q=whale") == ["two", "one"]
    assert await listed(client, "q=whale%20-sings") == ["one"]
    assert await listed(client, "q=whale&limit=1") == ["two"]
    assert await listed(client, "q=") == ["three", "two", "one"]


@pytest.mark.parametrize(
    "q", ["'", "%25", "!!!", "a%20%26%20%7C", "(", "%F0%9F%98%80", "%ED%A0%80"]
)
async def test_a_search_may_hold_anything(client: AsyncClient, q: str) -> None:
    assert await listed(client, f"q={q}") == []


@pytest.mark.parametrize("q", ["%00", "x" * 201])
async def test_a_search_that_cannot_be_is_refused(client: AsyncClient, q: str) -> None:
    assert (await client.get(f"{ARTICLES}?q={q}")).status_code == 422


async def test_the_search_of_one_page_leads_to_the_next(client: AsyncClient) -> None:
    for number in range(3):
        await create(client, slug=f"number-{number}", text="whale")
        await create(client, slug=f"other-{number}")
    first = await client.get(f"{ARTICLES}?q=whale&limit=2")
    second = await client.get(first.headers["Link"].partition(">")[0].lstrip("<"))
    assert [article["slug"] for article in second.json()] == ["number-0"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_id_that_is_none_is_refused(client: AsyncClient, method: str) -> None:
    response = await client.request(method, f"{ARTICLES}/first", json={})
    assert response.status_code == 422


async def test_a_path_with_several_methods_names_them_all(client: AsyncClient) -> None:
    response = await client.put(f"{ARTICLES}/{NOBODY}")
    assert response.status_code == 405
    assert response.headers["Allow"] == "DELETE, GET, PATCH"


@pytest.mark.parametrize("query", ["", "q=whale", "after=1" + "_" * 21 + "w"])
async def test_a_read_makes_no_statement(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    article = await create(client, text="whale")
    # It would take longer than the query.
    monkeypatch.setattr(Select, "__init__", None)
    monkeypatch.setattr(Select, "_generate", None)
    assert await listed(client, query) == ["a-slug"]
    assert (await client.get(f"{ARTICLES}/{article['id']}")).status_code == 200
